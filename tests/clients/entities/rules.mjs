// Entity rules as data: for each rule and caller, which of some records may be read, changed and deleted through every
// method, and whether a record may be created.

import assert from "node:assert/strict";
import { USER, callers } from "./callers.mjs";
import { check, refused } from "./checks.mjs";

const ALL = { read: "*", update: "*", delete: "*", create: true };
const NONE = { read: "", update: "", delete: "", create: false };

/** What may be done with those records alone. */
const only = (titles, create) => ({ read: titles, update: titles, delete: titles, create });

// `records`: title, by whom, and more fields. `create`: what the callers try to add.
// `forbidden`: deleteMany is refused as a whole. The service role may do everything, everywhere.
const RULES = {
  RuleOpen: {
    records: [["x", "service"]],
    create: { title: "new" },
    anonymous: ALL, user: ALL, admin: ALL,
  },
  RuleFalse: {
    records: [["x", "service"]],
    create: { title: "new" },
    forbidden: true,
    anonymous: NONE, user: NONE, admin: NONE,
  },
  RuleOwner: {
    records: [["mine", "user"], ["boss", "admin"], ["robot", "service"]],
    create: { title: "new", created_by: "forged@example.com" },
    anonymous: NONE, user: only("mine", true), admin: only("boss", true),
  },
  RuleAdmin: {
    records: [["x", "service"]],
    create: { title: "new" },
    anonymous: NONE, user: NONE, admin: ALL,
  },
  RuleMember: {
    records: [
      ["in", "service", { members: ["z@example.com", USER] }],
      ["out", "service", { members: ["z@example.com"] }],
      ["empty", "service", { members: [] }],
      ["none", "service"],
    ],
    create: { title: "new", members: [USER] },
    anonymous: NONE, user: only("in", true), admin: NONE,
  },
  RuleTeam: {
    records: [["public", "service"], ["red", "service"], ["blue", "service"]],
    create: { title: "red" },
    // Who has no team is not asked about the part of the list that needs one.
    anonymous: only("public", false), user: only("public red", true), admin: only("public", false),
  },
  RuleSignedIn: {
    records: [["x", "service"]],
    create: { title: "new" },
    anonymous: { ...NONE, read: "*" }, user: ALL, admin: ALL,
  },
  RuleWrite: {
    records: [["x", "service"]],
    create: { title: "new" },
    forbidden: true,
    anonymous: { ...NONE, read: "*" }, user: { ...NONE, read: "*" }, admin: { ...ALL, delete: "" },
  },
  RuleBare: {
    records: [["x", "service"]],
    create: { title: "new" },
    anonymous: { ...NONE, create: true }, user: { ...NONE, create: true }, admin: { ...NONE, create: true },
  },
  RuleSecret: {
    records: [["red", "service"], ["blue", "service"]],
    create: { title: "new" },
    anonymous: { ...NONE, create: true }, user: only("blue", true), admin: { ...NONE, create: true },
  },
};

async function stored(name, records) {
  await callers.service[name].deleteMany({});
  for (const [title, creator, fields] of records) {
    await callers[creator][name].create({ title, ...fields });
  }
  return callers.service[name].list("created_date");
}

const titles = (records) => records.map(({ title }) => title).sort();

async function reading(entity, readable, records) {
  assert.deepEqual(titles(await entity.list()), readable, "list");
  assert.deepEqual(titles(await entity.filter({ title: { $exists: true } })), readable, "filter");
  assert.deepEqual(titles((await entity.list({ limit: 50 })).items), readable, "page");
  assert.deepEqual((await entity.list({ distinct: "title" })).items, readable, "distinct");
  assert.equal(await entity.count(), readable.length, "count");
  assert.deepEqual((await entity.aggregate({})).rows, [{ count: readable.length }], "aggregate");
  assert.deepEqual(titles(await entity.list("created_date", 1)).length, Math.min(1, readable.length), "limit after the rule");
  for (const record of records) {
    await permitted(readable.includes(record.title), "get", () => entity.get(record.id), record.id);
  }
}

async function changing(entity, changeable, records) {
  for (const { id, title } of records) {
    const may = changeable.includes(title);
    await permitted(may, "update", () => entity.update(id, { title }), id);
    await permitted(may, "bulkUpdate", () => entity.bulkUpdate([{ id, title }]), id);
  }
  const answer = await entity.updateMany({}, { $set: { members: ["z@example.com", USER] } });
  assert.deepEqual(answer, { success: true, updated: changeable.length, has_more: false }, "updateMany");
}

async function permitted(may, what, call, id) {
  if (may) {
    return call().catch((error) => assert.fail(`${what}: ${error.message}`));
  }
  const error = await refused(call(), 404, ` with ID ${id} not found`);
  assert.match(error.message, /^Entity Rule/, what);
}

async function creating(name, entity, may, record) {
  const refusal = `=Permission denied for create operation on ${name} entity`;
  const file = new File([JSON.stringify([record])], "records.json");
  const calls = [
    () => entity.create(record),
    () => entity.bulkCreate([record]),
    () => entity.upsert([{ ...record, members: [USER], title: record.title }], { key: "title" }),
  ];
  const before = await callers.service[name].count();
  for (const call of may ? calls : []) {
    await call();
  }
  for (const call of may ? [] : calls) {
    await refused(call(), 403, refusal);
  }
  const imported = await entity.importEntities(file);
  assert.equal(imported.status, may ? "success" : "error", "import");
  assert.ok(may || imported.details.includes(refusal.slice(1)), imported.details);
  if (!may) {
    assert.equal(await callers.service[name].count(), before, "nothing was stored");
  }
}

async function deleting(name, entity, expected, { records, forbidden }, exempt) {
  for (const { id, title } of await stored(name, records)) {
    await permitted(expected.includes(title), "delete", () => entity.delete(id), id);
  }
  await stored(name, records);
  if (forbidden && !exempt) {
    await refused(entity.deleteMany({}), 403, `=Permission denied for delete operation on ${name} entity`);
  } else {
    assert.deepEqual(await entity.deleteMany({}), { success: true, deleted: expected.length }, "deleteMany");
  }
  assert.equal(await callers.service[name].count(), records.length - expected.length, "what is left");
}

export async function rules() {
  await callers.user.User.update((await callers.user.User.list())[0].id, { team: "red" });
  for (const [name, rule] of Object.entries(RULES)) {
    const everything = rule.records.map(([title]) => title).sort();
    const set = (titles) => (titles === "*" ? everything : titles.split(" ").filter(Boolean).sort());
    for (const caller of ["anonymous", "user", "admin", "service"]) {
      const [entity, expected] = [callers[caller][name], rule[caller] ?? ALL];
      const exempt = caller === "service";
      let records = await stored(name, rule.records);
      await check(`${name} ${caller} read`, () => reading(entity, set(expected.read), records));
      await check(`${name} ${caller} update`, () => changing(entity, set(expected.update), records));
      records = await stored(name, rule.records);
      await check(`${name} ${caller} create`, () => creating(name, entity, expected.create, rule.create));
      await check(`${name} ${caller} delete`, () => deleting(name, entity, set(expected.delete), rule, exempt));
    }
  }
}
