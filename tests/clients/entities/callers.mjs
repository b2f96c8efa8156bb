// The four callers of the entity API, each as a client of the official SDK.

import { createClient } from "@base44/sdk";

const { SERVER_URL, APP_ID, USER_TOKEN, ADMIN_TOKEN } = process.env;

export const USER = "ann@example.com";
export const ADMIN = "developer@example.com";

function client(tokens) {
  return createClient({
    serverUrl: SERVER_URL,
    appBaseUrl: SERVER_URL,
    appId: APP_ID,
    requiresAuth: false,
    analytics: { enabled: false },
    ...tokens,
  });
}

const token = await fetch(`${SERVER_URL}/functions/service-token`);
if (token.status !== 200) {
  throw new Error(`no service token: ${await token.text()}`);
}

export const clients = {
  anonymous: client({}),
  user: client({ token: USER_TOKEN }),
  admin: client({ token: ADMIN_TOKEN }),
};

/** The entities as each caller reaches them. */
export const callers = {
  anonymous: clients.anonymous.entities,
  user: clients.user.entities,
  admin: clients.admin.entities,
  service: client({ serviceToken: await token.text() }).asServiceRole.entities,
};

/** A request that the SDK itself would not make. */
export async function send(method, path, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${SERVER_URL}/api/apps/${APP_ID}/entities/${path}`, { method, headers, body });
  return { status: answer.status, body: await answer.json() };
}
