// Writing: creating, changing and removing one record and many, by id, by query, by key and from files.

import assert from "node:assert/strict";
import { ADMIN, USER, callers, send } from "./callers.mjs";
import { check, refused } from "./checks.mjs";

const { Item } = callers.user;
const MISSING = "0123456789abcdef01234567";

// A record that is not accepted, and why.
const INVALID = [
  [{}, "name: Field required"],
  [{ name: null }, "name: Field required"],
  [{ name: 5 }, "name: Input should be a valid string"],
  [{ name: "x", stars: 1.5 }, "stars: Input should be a valid integer"],
  [{ name: "x", price: "5" }, "price: Input should be a valid number"],
  [{ name: "x", done: 1 }, "done: Input should be a valid boolean"],
  [{ name: "x", tags: "y" }, "tags: Input should be a valid array"],
  [{ name: "x", tags: ["y", 1] }, "tags[1]: Input should be a valid string"],
  [{ name: "x", place: [] }, "place: Input should be a valid object"],
  [{ name: "x", place: { city: 1 } }, "place.city: Input should be a valid string"],
  [{ name: "x", note: 1 }, "note: Input should be a valid string or null"],
];

async function create() {
  await check("create stamps, defaults and drops", async () => {
    const forged = { id: MISSING, _id: MISSING, created_by: "x", created_by_id: "x", created_date: "x", is_sample: true };
    const record = await Item.create({ name: "x", stars: 3.0, price: null, unknown: 1, ...forged });
    const me = (await callers.user.User.list())[0];
    assert.match(record.id, /^[0-9a-f]{24}$/);
    assert.notEqual(record.id, MISSING);
    assert.deepEqual([record.created_by, record.created_by_id], [USER, me.id]);
    assert.match(record.created_date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(record.updated_date, record.created_date);
    assert.deepEqual([record.done, record.price, record.stars, record.is_sample], [false, null, 3, false]);
    for (const key of ["unknown", "_id", "is_deleted", "deleted_date", "entity_name", "app_id", "environment"]) {
      assert.ok(!(key in record), key);
    }
    assert.deepEqual(await Item.get(record.id), record);
  });
  const creators = { anonymous: null, user: USER, admin: ADMIN, service: "server@server.com" };
  for (const [caller, email] of Object.entries(creators)) {
    await check(`created_by of ${caller}`, async () => assert.equal((await callers[caller].Item.create({ name: "x" })).created_by, email));
  }
  for (const [record, problem] of INVALID) {
    await check(`invalid ${JSON.stringify(record)}`, async () => {
      const message = `=Error in field ${problem}`;
      const error = await refused(Item.create(record), 422, message);
      assert.equal(error.data.error_type, "ValidationError");
      const before = await Item.count();
      await refused(Item.bulkCreate([{ name: "fine" }, record]), 422, message);
      assert.equal(await Item.count(), before);
    });
  }
  await check("bulkCreate", async () => {
    const made = await Item.bulkCreate([{ name: "one" }, { name: "two", done: true }]);
    assert.deepEqual(made.map(({ name, done }) => [name, done]), [["one", false], ["two", true]]);
    assert.deepEqual(await Item.bulkCreate([]), []);
    await refused(Item.bulkCreate({ name: "one" }), 400, "=Request body must be an array");
    await refused(Item.bulkCreate([1]), 400);
    await refused(Item.create([{ name: "x" }]), 400);
  });
}

async function change() {
  await check("update", async () => {
    const before = await Item.create({ name: "x", place: { city: "Rome", zip: "1" }, note: "n", stars: 1 });
    const after = await Item.update(before.id, {
      id: MISSING, created_date: "x", created_by: "x", place: { city: "Oslo" }, stars: null, unknown: 1,
    });
    assert.deepEqual(after, { ...before, place: { city: "Oslo" }, stars: null, updated_date: after.updated_date });
    assert.ok(after.updated_date >= before.updated_date);
    assert.deepEqual(await Item.get(before.id), after);
    await refused(Item.update(before.id, { name: null }), 422, "Error in field name:");
    await refused(Item.update(before.id, { stars: "1" }), 422, "=Error in field stars: Input should be a valid integer");
    await refused(Item.update(before.id, []), 400);
    await refused(Item.update(MISSING, {}), 404, `=Entity Item with ID ${MISSING} not found`);
    assert.deepEqual(await Item.get(before.id), after);
  });
  await check("bulkUpdate", async () => {
    const [a, b] = await Item.bulkCreate([{ name: "a" }, { name: "b" }]);
    const done = await Item.bulkUpdate([{ id: b.id, stars: 2 }, { id: a.id, stars: 1 }]);
    assert.deepEqual(done.map(({ name, stars }) => [name, stars]), [["b", 2], ["a", 1]]);
    await refused(Item.bulkUpdate([{ id: a.id, stars: 9 }, { id: MISSING, stars: 9 }]), 404, MISSING);
    await refused(Item.bulkUpdate([{ id: a.id, stars: 9 }, { stars: 9 }]), 400, "id");
    await refused(Item.bulkUpdate([{ id: a.id, stars: 9 }, { id: b.id, stars: "9" }]), 422, "stars");
    await refused(Item.bulkUpdate({ id: a.id }), 400, "array");
    await refused(Item.bulkUpdate(Array(501).fill({ id: a.id, stars: 9 })), 400, "500");
    assert.equal((await Item.get(a.id)).stars, 1);
    assert.equal((await Item.bulkUpdate(Array(500).fill({ id: a.id, stars: 4 }))).length, 500);
  });
}

async function remove() {
  await check("delete and deleteMany", async () => {
    const made = await Item.bulkCreate(["r", "r", "r", "s"].map((note) => ({ name: "x", note })));
    assert.deepEqual(await Item.delete(made[0].id), { success: true });
    await refused(Item.delete(made[0].id), 404, `=Entity Item with ID ${made[0].id} not found`);
    await refused(Item.get(made[0].id), 404, `=Entity Item with ID ${made[0].id} not found`);
    assert.deepEqual(await Item.deleteMany({ note: "r" }), { success: true, deleted: 2 });
    assert.equal((await Item.get(made[3].id)).note, "s");
    const before = await Item.count();
    await refused(Item.deleteMany(undefined), 400);
    assert.equal((await send("DELETE", "Item")).status, 400);
    assert.equal(await Item.count(), before);
    assert.deepEqual(await Item.deleteMany({}), { success: true, deleted: before });
  });
}

async function upsert() {
  await check("upsert", async () => {
    const first = await Item.upsert([{ name: "a", stars: 1 }, { name: "b", stars: 1 }], { key: "name" });
    assert.deepEqual([first.created, first.updated, first.records.length], [2, 0, 2]);
    const again = [{ name: "c", stars: 1 }, { name: "a", note: "n" }, { name: "c", stars: 7 }];
    const second = await Item.upsert(again, { key: ["name"] });
    assert.deepEqual([second.created, second.updated], [1, 1]);
    assert.deepEqual(second.records.map(({ name, stars, note }) => [name, stars, note]), [["c", 7, undefined], ["a", 1, "n"]]);
    assert.equal(second.records[1].id, first.records[0].id);
    const both = await Item.upsert([{ name: "a", stars: 2 }], { key: ["name", "stars"] });
    assert.deepEqual([both.created, both.updated, await Item.count()], [1, 0, 4]);
    await refused(Item.upsert([{ stars: 1 }], { key: "name" }), 400, "name");
    await refused(Item.upsert([{ name: "a" }], { key: [] }), 400, "key");
    await refused(Item.upsert([{ name: "a" }], { key: undefined }), 422, "key");
    await refused(Item.upsert({ name: "a" }, { key: "name" }), 400, "array");
    await refused(Item.upsert(Array(501).fill({ name: "a" }), { key: "name" }), 400, "500");
    await refused(Item.upsert([{ name: "new" }, { name: "b", stars: "x" }], { key: "name" }), 422, "stars");
    assert.equal(await Item.count({ name: "new" }), 0);
    await Item.deleteMany({});
  });
}

async function importing() {
  const file = (name, text) => new File([text], name);
  await check("import of CSV", async () => {
    const csv = "\ufeffname,stars,price,done,tags,place,unknown\r\n"
      + '"a, ""b""",3,1.5,true,"x, y","{""city"":""Rome""}",z\r\n'
      + 'two lines,,,,"[""x""]",,\r\n';
    const { status, details, output } = await Item.importEntities(file("items.csv", csv));
    assert.equal(status, "success", details);
    assert.equal(details, "Successfully imported 2 entities with RLS enforcement");
    const [first, second] = output;
    assert.deepEqual([first.name, first.stars, first.price, first.done, first.tags], ['a, "b"', 3, 1.5, true, ["x", "y"]]);
    assert.deepEqual([first.place, first.unknown, first.created_by], [{ city: "Rome" }, undefined, USER]);
    assert.deepEqual([second.name, second.tags, second.done, second.stars], ["two lines", ["x"], false, undefined]);
    assert.deepEqual(await Item.get(first.id), first);
  });
  await check("import of what spreadsheets write with semicolons", async () => {
    const { status, output } = await Item.importEntities(file("items.csv", "name;stars\r\na;1\r\n"));
    assert.deepEqual([status, output.map(({ name, stars }) => [name, stars])], ["success", [["a", 1]]]);
  });
  await check("import of JSON", async () => {
    const { status, output } = await Item.importEntities(file("items.json", '[{"name":"j","stars":1},{"name":"k"}]'));
    assert.deepEqual([status, output.map(({ name }) => name)], ["success", ["j", "k"]]);
  });
  await check("a file that does not fit imports nothing", async () => {
    const before = await Item.count();
    for (const [name, text, part] of [
      ["items.csv", "name,stars\nfine,1\nwrong,many\n", "Line 3: Error in field stars"],
      ["items.csv", "Name|Stars\nfine|1\n", "None of the columns"],
      ["items.csv", 'name,stars\nfine,1\n"open,1\n', "Line 3: a quote is not closed"],
      ["items.json", '[{"name":"j"},{"name":5}]', "Record 2: Error in field name"],
      ["items.csv", "stars\n1\n", "name"],
      ["items.json", '[{"name":"j"}', "JSON"],
      ["items.json", "[1]", "object"],
    ]) {
      const { status, details, output } = await Item.importEntities(file(name, text));
      assert.deepEqual([status, output], ["error", null]);
      assert.ok(details.includes(part), details);
    }
    assert.equal(await Item.count(), before);
    await Item.deleteMany({});
  });
  await check("an import without a file", async () => assert.equal((await send("POST", "Item/import", "{}")).status, 400));
}

export async function writes() {
  await create();
  await change();
  await remove();
  await upsert();
  await importing();
}
