// Every method of the SDK that is not about records, accounts, files or functions, in an app that is linked to a deployed
// one. Says what each call is before it is made; who runs this knows what has to reach the platform for it.

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
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

/** The status of the answer to a call that the SDK makes in its own time. */
function answered(path) {
  const channel = "http.client.response.finish";
  return new Promise((resolve) => {
    const look = ({ request, response }) => {
      if (!request.path.endsWith(path)) return;
      unsubscribe(channel, look);
      resolve(response.statusCode);
    };
    subscribe(channel, look);
  });
}

// Ends what the method before it began.
const elsewhere = ["analytics.cleanup"];

let told;
const refuse = (error) => told(error);

const calls = {
  "agents.getConversations": async () => assert.deepEqual(await agents.getConversations(), afar),
  "agents.getConversation": async () => assert.deepEqual(await agents.getConversation("c1"), afar),
  "agents.listConversations": async () => assert.deepEqual(await agents.listConversations({ limit: 2 }), afar),
  "agents.createConversation": async () => assert.deepEqual(await agents.createConversation({ agent_name: "helper" }), afar),
  "agents.addMessage": async () => assert.deepEqual(await agents.addMessage({ id: "c1" }, { role: "user", content: "hi" }), afar),
  // Its first state comes from the platform; no message ever does, and nobody is kept waiting for one.
  "agents.subscribeToConversation": async () => {
    const first = answered("/conversations/c1");
    const leave = agents.subscribeToConversation("c1", assert.fail);
    assert.equal(await first, 200);
    leave();
  },
  "agents.getWhatsAppConnectURL": async () => assert.equal((await fetch(agents.getWhatsAppConnectURL("a/b"))).status, 200),
  "agents.getTelegramConnectURL": async () => assert.equal((await fetch(agents.getTelegramConnectURL("helper"))).status, 200),
  "integrations.Core.InvokeLLM": async () => assert.deepEqual(await integrations.Core.InvokeLLM({ prompt: "hi" }), afar),
  "integrations.Core.SendEmail": async () => assert.deepEqual(await integrations.Core.SendEmail({ to: "a@b.c", subject: "s", body: "b" }), afar),
  "integrations.Core.GenerateImage": async () => assert.deepEqual(await integrations.Core.GenerateImage({ prompt: "hi" }), afar),
  "integrations.Core.ExtractDataFromUploadedFile": async () =>
    assert.deepEqual(await integrations.Core.ExtractDataFromUploadedFile({ file_url: "x", json_schema: {} }), afar),
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
  // The same modules in the service role.
  "asServiceRole.agents": async () => assert.deepEqual(await service.agents.getConversations(), afar),
  "asServiceRole.integrations": async () => assert.deepEqual(await service.integrations.Core.InvokeLLM({ prompt: "hi" }), afar),
  "aiGateway.connection": async () => {
    for (const { baseURL, token: bearer } of [
      quiet.aiGateway.connection(),
      quiet.aiGateway.connection({ provider: "typesafe" }),
      service.aiGateway.connection(),
    ]) {
      const answer = await fetch(`${baseURL}/chat/completions`, { method: "POST", headers: { authorization: `Bearer ${bearer}` }, body: "{}" });
      assert.deepEqual(await answer.json(), afar);
    }
  },
  // The rest is local: nothing reaches the platform for it.
  "app.getPublicSettings": async () => assert.equal((await quiet.app.getPublicSettings()).id, APP_ID),
  "appLogs.logUserInApp": () => quiet.appLogs.logUserInApp("Home"),
  "appLogs.fetchLogs": () => quiet.appLogs.fetchLogs({ limit: 1 }),
  "appLogs.getStats": () => quiet.appLogs.getStats(),
  "users.inviteUser": () => quiet.users.inviteUser("new@example.com", "user"),
  "analytics.track": async () => {
    const sent = answered("/analytics/track/batch");
    const { analytics } = createClient({ ...options, token });
    analytics.track({ eventName: "opened", properties: { page: "Home" } });
    assert.equal(await sent, 200);
    analytics.cleanup();
  },
  "asServiceRole.appLogs": () => service.appLogs.fetchLogs({ limit: 1 }),
  "app.getPublicSettings, without an account": async () => {
    const { app } = createClient({ ...options, analytics: { enabled: false } });
    assert.equal((await app.getPublicSettings()).public_settings, "public_without_login");
  },
  // Not served, in a way that has the SDK give up rather than try again forever.
  "actors": async () => {
    const { actors } = createClient({ ...options, token, analytics: { enabled: false }, options: { onError: refuse } });
    const refused = new Promise((resolve) => (told = resolve));
    const connection = actors.chat("room").connect();
    const error = await refused;
    assert.deepEqual([error.status, error.message], [404, "Actors are not available in local development"]);
    assert.notEqual(actors.chat("room").connect(), connection);
  },
};

/** Every method of every module that is an object of methods has a call here, but for those that other scripts drive. */
function methods(client) {
  const others = ["auth", "entities", "functions", "integrations", "actors", "asServiceRole"];
  const modules = Object.keys(client).filter((name) => !others.includes(name) && typeof client[name] === "object");
  return modules.flatMap((name) => Object.keys(client[name]).map((method) => `${name}.${method}`));
}
const forgotten = [...methods(quiet), ...methods(service)].filter((name) => !(name in calls || elsewhere.includes(name)));
assert.deepEqual(forgotten, []);

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
