// Functions through the official SDK, as anonymous, user and service role, in every shape that a call or a function may have.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createClient } from "@base44/sdk";
import { check, finish, refused } from "./entities/checks.mjs";

const { SERVER_URL, APP_ID, USER_EMAIL, USER_TOKEN } = process.env;

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

const anonymous = client({}).functions;
const user = client({ token: USER_TOKEN }).functions;
const callers = { anonymous, user };

for (const [who, functions] of Object.entries(callers)) {
  await check(`${who} invokes with JSON`, async () => {
    const { data, status, headers } = await functions.invoke("call/echo", { a: [1, { b: null }] });
    assert.deepEqual([status, headers["x-seen"]], [200, "yes"]);
    const body = '{"a":[1,{"b":null}]}';
    assert.deepEqual(data, { method: "POST", path: "/call/echo", type: "application/json", mine: null, body });
  });

  await check(`${who} invokes without data`, async () => {
    assert.equal((await functions.invoke("call/echo")).data.body, "");
  });

  await check(`${who} uploads a file`, async () => {
    const file = new File(["grüße"], "grüße.txt", { type: "text/plain" });
    const { data } = await functions.invoke("call/upload", { file, count: 2, nested: { deep: [true] } });
    const expected = { name: "grüße.txt", type: "text/plain", text: "grüße" };
    assert.deepEqual(data, { file: expected, count: "2", nested: { deep: [true] } });
  });

  await check(`${who} fetches a sub-path with any method`, async () => {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      const init = { method, headers: { "x-mine": "1" }, body: method === "GET" ? undefined : "plain" };
      const answer = await functions.fetch("/call/echo/deep/er?q=a%20b", init);
      const { path, mine, ...rest } = await answer.json();
      assert.deepEqual([path, mine], ["/call/echo/deep/er?q=a%20b", "1"]);
      assert.equal(rest.method, method);
      assert.equal(answer.status, method === "DELETE" ? 418 : 200);
    }
    const head = await functions.fetch("call/echo", { method: "HEAD" });
    assert.deepEqual([head.status, head.headers.get("x-seen"), await head.text()], [200, "yes", ""]);
  });

  await check(`${who} reads a stream as it is written`, async () => {
    const answer = await functions.fetch("/call/ticks");
    assert.equal(answer.headers.get("content-type"), "text/event-stream");
    const events = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    assert.equal((await events.read()).value, "data: one\n\n");
    assert.equal(await (await functions.fetch("/call/ticks/next")).text(), "ticked");
    assert.equal((await events.read()).value, "data: two\n\n");
    assert.equal((await events.read()).done, true);
  });

  await check(`${who} gets what a function does as the service, and nothing more`, async () => {
    const { data } = await functions.invoke("callers/vault", { secret: who });
    const denied = { status: 403, message: "Permission denied for create operation on Vault entity" };
    assert.deepEqual([data.asCaller, data.seen, data.record.secret], [denied, 0, who]);
    assert.equal(data.record.created_by, "server@server.com");
  });

  await check(`${who} is told of a function that does not exist, and of one that fails`, async () => {
    const error = await refused(functions.invoke("missing", {}), 404);
    assert.equal(error.response.data.message, 'Function "missing" not found');
    const answer = await functions.fetch("/call", {});
    assert.deepEqual([answer.status, (await answer.json()).error_type], [404, "HTTPException"]);
  });
}

await check("a function knows its caller", async () => {
  const asUser = { me: { email: USER_EMAIL }, authorization: true, service: true };
  const asGuest = { me: { status: 401 }, authorization: false, service: true };
  const { me, ...rest } = (await anonymous.invoke("callers/whoami", {})).data;
  assert.deepEqual({ me: { status: me.status }, ...rest }, asGuest);
  assert.deepEqual((await user.invoke("callers/whoami", {})).data, asUser);
  const fetched = await user.fetch("/callers/whoami", { method: "POST" });
  assert.deepEqual(await fetched.json(), asUser);
});

await check("a function calls another as its caller and as the service", async () => {
  const { asCaller, asService } = (await user.invoke("callers/relay", {})).data;
  assert.equal(asCaller.me.email, USER_EMAIL);
  assert.equal(asService.authorization, true);
  assert.notEqual(asService.me.email, USER_EMAIL);
});

await check("a function has its secrets and goes on after its answer", async () => {
  const { data } = await anonymous.invoke("email/send", { to: "ada@example.com" });
  assert.deepEqual(data, { to: "ada@example.com", key: "k-1", none: null });
});

await check("every shape of a handler serves", async () => {
  for (const shape of ["handler", "options", "object", "default", "fetch", "both"]) {
    assert.equal((await anonymous.invoke(`shapes/${shape}`, {})).data, shape);
  }
  const digest = createHash("sha256").update("renamed").digest("hex").slice(0, 8);
  assert.equal((await anonymous.invoke("renamed", {})).data, digest);
  await refused(anonymous.invoke("shapes/named", {}), 404);
});

finish();
