// The eleven update operators of updateMany, as a table: a record, the update, and what has changed then.

import assert from "node:assert/strict";
import { callers } from "./callers.mjs";
import { check, refused } from "./checks.mjs";

const { Item } = callers.service;
const GONE = undefined;

const UPDATES = [
  [{}, { $set: { note: "n", "place.city": "Rome" } }, { note: "n", place: { city: "Rome" } }],
  [{ place: { city: "Rome", zip: "1" } }, { $set: { "place.city": "Oslo" } }, { place: { city: "Oslo", zip: "1" } }],
  [{ tags: ["a", "b"] }, { $set: { "tags.1": "c" } }, { tags: ["a", "c"] }],
  [{ stars: 1 }, { $unset: { stars: "" } }, { stars: GONE }],
  [{ tags: ["a", "b"], lines: [{ k: 1, n: 2 }] }, { $unset: { "lines.0.k": 1 } }, { lines: [{ n: 2 }] }],
  [{ stars: 1 }, { $rename: { stars: "price" } }, { stars: GONE, price: 1 }],
  [{}, { $rename: { stars: "price" } }, { stars: GONE, price: GONE }],
  [{ stars: 1, price: 1 }, { $inc: { stars: 2, price: -0.5 } }, { stars: 3, price: 0.5 }],
  [{}, { $inc: { stars: 2 }, $mul: { price: 3 } }, { stars: 2, price: 0 }],
  [{ stars: 3 }, { $mul: { stars: 2 } }, { stars: 6 }],
  [{ stars: 3, price: 3 }, { $min: { stars: 2, price: 4 } }, { stars: 2, price: 3 }],
  [{ stars: 3 }, { $max: { stars: 4, price: 1 } }, { stars: 4, price: 1 }],
  [{ tags: ["a"] }, { $addToSet: { tags: "a" } }, { tags: ["a"] }],
  [{ tags: ["a"] }, { $addToSet: { tags: { $each: ["a", "b", "b"] } } }, { tags: ["a", "b"] }],
  [{}, { $addToSet: { tags: "a" } }, { tags: ["a"] }],
  [{ scores: [1] }, { $push: { scores: 1 } }, { scores: [1, 1] }],
  [{}, { $push: { scores: 1 } }, { scores: [1] }],
  [{ scores: [5] }, { $push: { scores: { $each: [3, 4], $position: 0 } } }, { scores: [3, 4, 5] }],
  [{ scores: [5, 1] }, { $push: { scores: { $each: [3], $sort: 1, $slice: 2 } } }, { scores: [1, 3] }],
  [{ scores: [5, 1] }, { $push: { scores: { $each: [], $slice: -1 } } }, { scores: [1] }],
  [{ lines: [{ k: 2 }] }, { $push: { lines: { $each: [{ k: 1 }], $sort: { k: 1 } } } }, { lines: [{ k: 1 }, { k: 2 }] }],
  [{ scores: [1, 2, 1] }, { $pull: { scores: 1 } }, { scores: [2] }],
  [{ scores: [1, 2, 3] }, { $pull: { scores: { $gte: 2 } } }, { scores: [1] }],
  [{ lines: [{ k: 1, n: 1 }, { k: 2 }] }, { $pull: { lines: { k: 1 } } }, { lines: [{ k: 2 }] }],
  [{}, { $pull: { scores: 1 } }, { scores: GONE }],
  [{ note: "same" }, { $set: { note: "same" } }, { note: "same" }],
  [{}, { $set: { unknown: 1 } }, { unknown: GONE }],
];

// A record, an update that is refused, the status, and what the message names.
const REFUSED = [
  [{}, {}, 400, ""],
  [{}, { name: "x" }, 400, "$set"],
  [{}, { $bad: { name: "x" } }, 400, "$bad"],
  [{}, { $set: 1 }, 400, "$set"],
  [{}, { $set: { stars: 1 }, $inc: { stars: 1 } }, 400, "conflict"],
  [{}, { $set: { "place.city": "x" }, $unset: { place: 1 } }, 400, "conflict"],
  [{}, { $set: { id: "x" } }, 400, "id"],
  [{}, { $set: { created_by: "x" } }, 400, "created_by"],
  [{}, { $inc: { stars: "1" } }, 400, "$inc"],
  [{ note: "n" }, { $inc: { note: 1 } }, 400, "note"],
  [{ stars: null }, { $mul: { stars: 2 } }, 400, "stars"],
  [{ note: "n" }, { $push: { note: 1 } }, 400, "note"],
  [{ note: "n" }, { $pull: { note: 1 } }, 400, "note"],
  [{ note: "n" }, { $addToSet: { note: 1 } }, 400, "note"],
  [{ note: "n" }, { $set: { "note.deep": 1 } }, 400, "note"],
  [{}, { $currentDate: { seen: 5 } }, 400, "$currentDate"],
  [{}, { $rename: { stars: "stars" } }, 400, "$rename"],
  [{}, { $pull: { scores: { $bad: 1 } } }, 400, "$bad"],
  [{}, { $set: { stars: "many" } }, 422, "stars: Input should be a valid integer"],
  [{}, { $unset: { name: 1 } }, 422, "name: Field required"],
  [{}, { $push: { tags: 5 } }, 422, "tags[0]: Input should be a valid string"],
];

export async function updates() {
  for (const [fields, update, changed] of UPDATES) {
    await check(`updateMany ${JSON.stringify(fields)} ${JSON.stringify(update)}`, async () => {
      const before = await Item.create({ name: "x", ...fields });
      const answer = await Item.updateMany({ id: before.id }, update);
      assert.deepEqual(answer, { success: true, updated: 1, has_more: false });
      const after = await Item.get(before.id);
      const expected = { ...before, ...changed, updated_date: after.updated_date };
      assert.deepEqual(after, JSON.parse(JSON.stringify(expected)));
    });
  }
  for (const [fields, update, status, part] of REFUSED) {
    await check(`refused ${JSON.stringify(fields)} ${JSON.stringify(update)}`, async () => {
      const before = await Item.bulkCreate([{ name: "x", note: null, ...fields }, { name: "x", ...fields }]);
      await refused(Item.updateMany({ id: before.map(({ id }) => id) }, update), status, part);
      assert.deepEqual([await Item.get(before[0].id), await Item.get(before[1].id)], before);
    });
  }
  await check("$currentDate", async () => {
    const { id } = await Item.create({ name: "x" });
    await Item.updateMany({ id }, { $currentDate: { seen: true, due: { $type: "date" } } });
    const { seen, due, updated_date: now } = await Item.get(id);
    assert.deepEqual([seen, due], [now, now.slice(0, 10)]);
  });
  await check("updateMany goes on in batches of 500", async () => {
    await Item.deleteMany({});
    await Item.bulkCreate(Array.from({ length: 501 }, (_, at) => ({ name: `n${at}` })));
    const step = () => Item.updateMany({ done: false }, { $set: { done: true } });
    assert.deepEqual(await step(), { success: true, updated: 500, has_more: true });
    assert.deepEqual(await step(), { success: true, updated: 1, has_more: false });
    assert.deepEqual(await step(), { success: true, updated: 0, has_more: false });
  });
  await Item.deleteMany({});
}
