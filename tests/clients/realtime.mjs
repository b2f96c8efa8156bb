// Live updates through the official SDK: every kind of write, seen by every kind of caller. Ends with "ok" or with the
// first thing that is wrong.

import assert from "node:assert/strict";
import { createClient } from "@base44/sdk";

const { SERVER_URL, APP_ID, USER_TOKEN, ADMIN_TOKEN } = process.env;
const PATIENCE = 60_000;
const USER = "ann@example.com";

// The SDK tells of each connection.
console.log = () => {};

function client(token) {
  return createClient({
    serverUrl: SERVER_URL,
    appBaseUrl: SERVER_URL,
    appId: APP_ID,
    requiresAuth: false,
    analytics: { enabled: false },
    ...(token && { token }),
  });
}

const clients = { anonymous: client(), user: client(USER_TOKEN), admin: client(ADMIN_TOKEN) };
const names = Object.keys(clients);
const unsubscribe = {};
const seen = Object.fromEntries(names.map((name) => [name, []]));

/** What a caller has been told since the last time, up to an event about the record with this text. */
async function told(name, text) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const at = seen[name].findIndex(({ data }) => data?.text === text);
    if (at >= 0) return seen[name].splice(0, at + 1);
    assert.ok(Date.now() < end, `${name} was not told of "${text}": ${JSON.stringify(seen[name])}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const { Note } = clients.admin.entities;
let marks = 0;

/**
 * Runs a write, then one that everybody may know of, after which nothing of the first can still come. Answers what each
 * caller was told of the first: `create 1`, ….
 */
async function during(write) {
  await write();
  const text = `mark ${(marks += 1)}`;
  const { id } = await Note.create({ text, public: true });
  const events = {};
  for (const name of names) {
    events[name] = (await told(name, text)).slice(0, -1).map(({ type, data }) => `${type} ${data.text}`);
  }
  await Note.delete(id);
  for (const name of names) await told(name, text);
  return events;
}

/** Subscribes, and waits until the room is joined: a probe is heard. */
async function subscribe(name) {
  unsubscribe[name] = clients[name].entities.Note.subscribe((event) => seen[name].push(event));
  const end = Date.now() + PATIENCE;
  while (seen[name].length === 0) {
    assert.ok(Date.now() < end, `${name} hears nothing`);
    const { id } = await Note.create({ text: "probe", public: true });
    await Note.delete(id);
  }
}

for (const name of names) await subscribe(name);
await during(async () => {});

// Who may read a record is told of it; what of it, the field's rule says.
let mine;
assert.deepEqual(
  await during(async () => {
    mine = await clients.user.entities.Note.create({ text: "mine", secret: "s" });
  }),
  { anonymous: [], user: ["create mine"], admin: ["create mine"] },
);
assert.equal(mine.created_by, USER);

await Note.create({ text: "masked", public: true, secret: "s" });
for (const [name, secret] of [["anonymous", undefined], ["user", undefined], ["admin", "s"]]) {
  const [{ type, id, data, timestamp }] = await told(name, "masked");
  assert.deepEqual([type, id, data.secret], ["create", data.id, secret], name);
  assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
}

// A record that comes into view is told of, and nothing once it is out of it.
assert.deepEqual(await during(() => Note.update(mine.id, { public: true })), {
  anonymous: ["update mine"],
  user: ["update mine"],
  admin: ["update mine"],
});
assert.deepEqual(await during(() => Note.update(mine.id, { public: false })), {
  anonymous: [],
  user: ["update mine"],
  admin: ["update mine"],
});
assert.deepEqual(await during(() => Note.delete(mine.id)), {
  anonymous: [],
  user: ["delete mine"],
  admin: ["delete mine"],
});

// Many records at once: one event each, in their order.
const open = (...texts) => texts.map((text) => ({ text, public: true, group: "bulk" }));
const everybody = (...events) => Object.fromEntries(names.map((name) => [name, events]));
let bulk;
assert.deepEqual(
  await during(async () => {
    bulk = await Note.bulkCreate([...open("1", "2", "3"), { text: "hidden", group: "bulk" }]);
  }),
  { ...everybody("create 1", "create 2", "create 3"), admin: ["create 1", "create 2", "create 3", "create hidden"] },
);
const [one, two] = bulk;
assert.deepEqual(
  await during(() => Note.bulkUpdate([{ id: two.id, rank: 2 }, { id: one.id, rank: 1 }])),
  everybody("update 2", "update 1"),
);
assert.deepEqual(await during(() => Note.updateMany({ group: "bulk", public: true }, { $set: { rank: 7 } })), {
  ...everybody("update 1", "update 2", "update 3"),
});
assert.deepEqual(await during(() => Note.upsert([{ text: "3", public: true }, { text: "4", public: true }], { key: "text" })), {
  ...everybody("update 3", "create 4"),
});
const gone = await during(() => Note.deleteMany({ group: "bulk" }));
assert.deepEqual(gone.admin.toSorted(), ["delete 1", "delete 2", "delete 3", "delete hidden"]);
assert.deepEqual([gone.anonymous, gone.user], Array(2).fill(gone.admin.filter((event) => !event.includes("hidden"))));

// Whoever comes back is told again.
unsubscribe.anonymous();
await Note.create({ text: "unheard", public: true });
await told("user", "unheard");
assert.deepEqual(seen.anonymous, []);
await subscribe("anonymous");

process.stdout.write("ok\n");
// The connections would keep the process.
process.exit(0);
