import { createClient } from '@base44/sdk';

// Both come from `backlot dev`. Without them the page calls whatever served it,
// which is right for a built page that the backend itself serves.
const appId = import.meta.env.VITE_BASE44_APP_ID || 'local';
const serverUrl = import.meta.env.VITE_BASE44_APP_BASE_URL || window.location.origin;

// A token from an earlier visit is found in the browser's storage by the client itself.
export const base44 = createClient({
  appId,
  serverUrl,
  appBaseUrl: serverUrl,
  requiresAuth: false,
  analytics: { enabled: false },
});
