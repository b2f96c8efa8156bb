// Runs before the user's script and gives it `base44`: the SDK's client, for the app and the user that the environment
// names. The SDK's sockets would keep the process alive, so they are closed when the script has run to its end.
import { createClient } from "npm:@base44/sdk@0.8.50";

const get = (name) => Deno.env.get(name) || undefined;

const headers = {};
if (get("BASE44_PRIVILEGED") === "true") headers["X-Bypass-RLS"] = "true";
if (get("BASE44_DATA_ENV")) headers["X-Data-Env"] = get("BASE44_DATA_ENV");

const base44 = createClient({
  appId: get("BASE44_APP_ID"),
  token: get("BASE44_ACCESS_TOKEN"),
  serverUrl: get("BASE44_APP_BASE_URL"),
  headers,
});
Object.defineProperty(globalThis, "base44", { value: base44, writable: true, configurable: true, enumerable: true });

// The same module that Deno runs next: it is evaluated once. An error is thrown again where Deno reports it and ends.
import(Deno.mainModule).then(
  () => base44.cleanup(),
  (error) => setTimeout(() => { throw error; }),
);
