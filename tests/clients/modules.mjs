// Every method of the SDK that is not about records, accounts, files or functions, in an app that is linked to a deployed
// one. Says what each call is before it is made; who runs this knows what has to reach the platform for it.

import assert from "node:assert/strict";
import { createClient } from "@base44/sdk";

const { SERVER_URL, APP_ID, EMAIL } = process.env;
const options = { serverUrl: SERVER_URL, appBaseUrl: SERVER_URL, appId: APP_ID, requiresAuth: false };
const afar = { from: "afar" };

const quiet = createClient({ ...options, analytics: { enabled: false } });
const { access_token: token } = await quiet.auth.loginViaEmailPassword(EMAIL, "any password");
quiet.setToken(token);
const { data: serviceToken } = await quiet.functions.invoke("service-token", {});
const service = createClient({ ...options, token, serviceToken, analytics: { enabled: false } }).asServiceRole;
const { agents, integrations, connectors } = quiet;

const calls = {
  "agents.getConversations": async () => assert.deepEqual(await agents.getConversations(), afar),
  "agents.getConversation": async () => assert.deepEqual(await agents.getConversation("c1"), afar),
  "agents.listConversations": async () => assert.deepEqual(await agents.listConversations({ limit: 2 }), afar),
  "agents.createConversation": async () => assert.deepEqual(await agents.createConversation({ agent_name: "helper" }), afar),
  "agents.addMessage": async () => assert.deepEqual(await agents.addMessage({ id: "c1" }, { role: "user", content: "hi" }), afar),
  "agents.getWhatsAppConnectURL": async () => assert.equal((await fetch(agents.getWhatsAppConnectURL("a/b"))).status, 200),
  "agents.getTelegramConnectURL": async () => assert.equal((await fetch(agents.getTelegramConnectURL("helper"))).status, 200),
  "integrations.Core.InvokeLLM": async () => assert.deepEqual(await integrations.Core.InvokeLLM({ prompt: "hi" }), afar),
  "integrations.Core.SendEmail": async () => assert.deepEqual(await integrations.Core.SendEmail({ to: "a@b.c", subject: "s", body: "b" }), afar),
  "integrations.Core.GenerateImage": async () => assert.deepEqual(await integrations.Core.GenerateImage({ prompt: "hi" }), afar),
  "integrations.Package.Endpoint": async () => assert.deepEqual(await integrations.Slack.Post({ text: "hi" }), afar),
  "integrations.custom.call": async () =>
    assert.deepEqual(await integrations.custom.call("crm", "get:/contacts/{id}", { pathParams: { id: 1 } }), afar),
  "connectors.connectAppUser": () => connectors.connectAppUser("con/1"),
  "connectors.disconnectAppUser": () => connectors.disconnectAppUser("con1"),
  "connectors.getAccessToken": () => service.connectors.getAccessToken("google drive"),
  "connectors.getConnection": () => service.connectors.getConnection("slack"),
  "connectors.getWorkspaceConnection": () => service.connectors.getWorkspaceConnection("con1"),
  "connectors.getCurrentAppUserAccessToken": () => service.connectors.getCurrentAppUserAccessToken("con1"),
  "connectors.getCurrentAppUserConnection": () => service.connectors.getCurrentAppUserConnection("con1"),
  "connectors.callApi": () => service.connectors.callApi("slack", { path: "/users" }),
  "sso.getAccessToken": async () => assert.deepEqual(await service.sso.getAccessToken("u1"), afar),
  "sso.getIdToken": async () => assert.deepEqual(await service.sso.getIdToken("u1"), afar),
  "aiGateway.connection": async () => {
    const { baseURL, token: bearer } = (quiet.aiGateway ?? quiet.ai).connection();
    const answer = await fetch(`${baseURL}/chat/completions`, { method: "POST", headers: { authorization: `Bearer ${bearer}` }, body: "{}" });
    assert.deepEqual(await answer.json(), afar);
  },
  // The rest is local: nothing reaches the platform for it.
  "app.getPublicSettings": async () => assert.equal((await quiet.app.getPublicSettings()).id, APP_ID),
  "appLogs.logUserInApp": () => quiet.appLogs.logUserInApp("Home"),
  "appLogs.fetchLogs": () => quiet.appLogs.fetchLogs({ limit: 1 }),
  "appLogs.getStats": () => quiet.appLogs.getStats(),
  "users.inviteUser": () => quiet.users.inviteUser("new@example.com", "user"),
  "analytics.track": async () => {
    const { analytics } = createClient({ ...options, token });
    analytics.track({ eventName: "opened", properties: { page: "Home" } });
    analytics.cleanup();
    // What it sends a second later.
    const events = [{ event_name: "opened", properties: { page: "Home" } }];
    const path = `${SERVER_URL}/api/apps/${APP_ID}/analytics/track/batch`;
    const headers = { "content-type": "application/json" };
    assert.ok((await fetch(path, { method: "POST", body: JSON.stringify({ events }), headers })).ok);
  },
  "actors": async () => {
    const answer = await fetch(`${SERVER_URL}/api/apps/${APP_ID}/actors/chat/room/token`, { method: "POST" });
    assert.equal(answer.status, 404);
    assert.ok((await answer.json()).message);
  },
};

for (const [name, call] of Object.entries(calls)) {
  try {
    await call();
  } catch (error) {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  }
  console.log(name);
}
console.log("ok");
// A connection that is kept open must not keep the process.
process.exit(0);
