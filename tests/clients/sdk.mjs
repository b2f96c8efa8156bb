// The official SDK as an app on Node uses it: records, sign-in, functions. Ends with "ok" or with the first thing that is wrong.

import assert from "node:assert/strict";
import { createClient } from "@base44/sdk";

const { SERVER_URL, APP_ID, EMAIL } = process.env;
const base44 = createClient({
  serverUrl: SERVER_URL,
  appBaseUrl: SERVER_URL,
  appId: APP_ID,
  requiresAuth: false,
  analytics: { enabled: false },
});
const { Task } = base44.entities;

async function records() {
  assert.deepEqual(await Task.list(), []);
  const bread = await Task.create({ title: "Buy bread", priority: 2 });
  assert.match(bread.id, /^[0-9a-f]{24}$/);
  assert.equal(bread.done, false);
  const [ada, report] = await Task.bulkCreate([
    { title: "Call Ada", priority: 1 },
    { title: "Write the report", priority: 3, done: true },
  ]);

  const titles = (tasks) => tasks.map(({ title }) => title);
  assert.deepEqual(titles(await Task.list("priority")), ["Call Ada", "Buy bread", "Write the report"]);
  assert.deepEqual(titles(await Task.list("-priority", 1)), ["Write the report"]);
  assert.deepEqual(titles(await Task.list("priority", 1, 1)), ["Buy bread"]);
  assert.deepEqual(titles(await Task.filter({ done: false }, "title")), ["Buy bread", "Call Ada"]);
  assert.deepEqual(await Task.list("-created_date", 1, 0, ["title"]), [{ id: report.id, title: report.title }]);

  assert.deepEqual(await Task.get(ada.id), ada);
  const changed = await Task.update(ada.id, { done: true });
  assert.deepEqual([changed.done, changed.title], [true, "Call Ada"]);
  await Task.delete(ada.id);
  const gone = await rejection(Task.get(ada.id));
  assert.deepEqual([gone.status, gone.message], [404, `Entity Task with ID ${ada.id} not found`]);
  const wrong = await rejection(Task.create({ title: 5 }));
  assert.equal(wrong.status, 422);
}

async function signIn() {
  assert.equal((await rejection(base44.auth.me())).status, 401);
  assert.equal(await base44.auth.isAuthenticated(), false);
  const { access_token, user } = await base44.auth.loginViaEmailPassword(EMAIL, "any password");
  assert.ok(access_token && user);
  const me = await base44.auth.me();
  assert.deepEqual([me.email, me.role], [EMAIL, "admin"]);
  assert.equal(await base44.auth.isAuthenticated(), true);
  const mine = await Task.create({ title: "Mine" });
  assert.equal(mine.created_by, EMAIL);
}

async function functions() {
  const { data, status } = await base44.functions.invoke("echo", { hello: "there" });
  assert.equal(status, 200);
  assert.deepEqual(data, { method: "POST", pathname: "/echo", body: '{"hello":"there"}' });

  const fetched = await base44.functions.fetch("/echo/deeper", { method: "PUT", body: "plain" });
  assert.deepEqual(await fetched.json(), { method: "PUT", pathname: "/echo/deeper", body: "plain" });

  const asMe = await base44.functions.invoke("mail/whoami", {});
  assert.deepEqual(asMe.data, { email: EMAIL, tasks: 3 });
  assert.equal((await rejection(base44.functions.invoke("missing", {}))).status, 404);
}

async function rejection(promise) {
  return promise.then(
    (value) => assert.fail(`it worked: ${JSON.stringify(value)}`),
    (error) => error,
  );
}

await records();
await signIn();
await functions();
console.log("ok");
// A connection that is kept open must not keep the process.
process.exit(0);
