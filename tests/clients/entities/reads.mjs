// Reading: every operator of the query language, sorting, limits, pages, distinct values, counts and aggregates.

import assert from "node:assert/strict";
import { callers } from "./callers.mjs";
import { check, refused } from "./checks.mjs";

const { Item } = callers.service;

const RECORDS = [
  {
    name: "a", stars: 1, price: 1.5, done: true, tags: ["x", "y"], scores: [0, 5], note: "hello World", due: "2026-01-05",
    lines: [{ k: 1, n: "p" }, { k: 3, n: "q" }], place: { city: "Rome", zip: "1" },
  },
  {
    name: "b", stars: 3, price: 2, tags: ["y"], scores: [2], note: null, due: "2026-01-20",
    lines: [{ k: 1, n: "q" }], place: { city: "Oslo" },
  },
  { name: "c", stars: 5, tags: [], scores: [7, 9], place: { city: "Rome" }, due: "2026-02-01" },
  { name: "d" },
];

// A query, and the names of the records that it finds.
const QUERIES = [
  [{}, "abcd"],
  [{ name: "a" }, "a"],
  [{ name: { $eq: "a" } }, "a"],
  [{ name: ["a", "c"] }, "ac"],
  [{ name: [] }, ""],
  [{ note: null }, "bcd"],
  [{ note: { $ne: null } }, "a"],
  [{ stars: { $ne: 1 } }, "bcd"],
  [{ stars: { $gt: 1 } }, "bc"],
  [{ stars: { $gte: 3, $lt: 5 } }, "b"],
  [{ stars: { $lte: 1 } }, "a"],
  [{ stars: { $gt: "1" } }, ""],
  [{ stars: { $gte: null } }, "d"],
  [{ stars: { $gt: null } }, ""],
  [{ stars: { $in: [1, null] } }, "ad"],
  [{ stars: { $nin: [1, null] } }, "bc"],
  [{ stars: { $nin: [1] } }, "bcd"],
  [{ price: 2.0 }, "b"],
  [{ note: { $exists: true } }, "ab"],
  [{ note: { $exists: false } }, "cd"],
  [{ tags: { $exists: 1 } }, "abc"],
  [{ tags: "y" }, "ab"],
  [{ tags: ["x", "z"] }, "a"],
  [{ tags: { $eq: ["x", "y"] } }, "a"],
  [{ tags: { $ne: "y" } }, "cd"],
  [{ tags: { $nin: ["x"] } }, "bcd"],
  [{ tags: { $all: ["y", "x"] } }, "a"],
  [{ tags: { $all: [] } }, ""],
  [{ name: { $all: ["a"] } }, "a"],
  [{ tags: { $size: 0 } }, "c"],
  [{ tags: { $size: 2 } }, "a"],
  [{ scores: { $gt: 1, $lt: 3 } }, "ab"],
  [{ scores: { $elemMatch: { $gt: 1, $lt: 3 } } }, "b"],
  [{ scores: { $not: { $gt: 5 } } }, "abd"],
  [{ lines: { $elemMatch: { k: 1, n: "q" } } }, "b"],
  [{ lines: { $all: [{ $elemMatch: { k: 3 } }, { $elemMatch: { n: "p" } }] } }, "a"],
  [{ "lines.k": 3 }, "a"],
  [{ "lines.1.n": "q" }, "a"],
  [{ "scores.0": 7 }, "c"],
  [{ "place.city": "Rome" }, "ac"],
  [{ "name.deeper": null }, "abcd"],
  [{ place: { city: "Rome" } }, "c"],
  [{ place: { zip: "1", city: "Rome" } }, "a"],
  [{ note: { $regex: "world" } }, ""],
  [{ note: { $regex: "world", $options: "i" } }, "a"],
  [{ name: { $regex: "^(?!a|b)" } }, "cd"],
  [{ tags: { $regex: "^x" } }, "a"],
  [{ name: { $not: { $regex: "a" } } }, "bcd"],
  [{ $or: [{ stars: 1 }, { stars: 5 }] }, "ac"],
  [{ $and: [{ done: false }, { stars: { $exists: true } }] }, "bc"],
  [{ $nor: [{ done: true }, { name: "d" }] }, "bc"],
  [{ $or: [{ $and: [{ stars: 1 }, { done: true }] }, { $nor: [{ name: ["a", "b", "c"] }] }] }, "ad"],
  [{ unknown: null }, "abcd"],
  [{ unknown: 1 }, ""],
  [{ $comment: "why", name: "a" }, "a"],
  [{ created_date: { $gte: "2020-01-01" } }, "abcd"],
  [{ created_date: { $lt: "2020-01-01T00:00:00Z" } }, ""],
  [{ created_by: "server@server.com" }, "abcd"],
  [{ is_deleted: false }, "abcd"],
  [{ constructor: null }, "abcd"],
];

// A query that is refused, and what the message names.
const REFUSED = [
  [{ name: { $near: 1 } }, "$near"],
  [{ $where: "1" }, "$where"],
  [{ $expr: {} }, "$expr"],
  [{ $gt: 1 }, "$gt"],
  [{ stars: { $in: 1 } }, "$in"],
  [{ stars: { $nin: {} } }, "$nin"],
  [{ name: { $regex: 5 } }, "$regex"],
  [{ name: { $regex: "(" } }, "$regex"],
  [{ name: { $options: "i" } }, "$options"],
  [{ name: { $regex: "a", $options: "g" } }, "$options"],
  [{ name: { $not: {} } }, "$not"],
  [{ name: { $not: "a" } }, "$not"],
  [{ tags: { $all: "x" } }, "$all"],
  [{ tags: { $size: -1 } }, "$size"],
  [{ tags: { $size: "1" } }, "$size"],
  [{ tags: { $elemMatch: 1 } }, "$elemMatch"],
  [{ $and: [] }, "$and"],
  [{ $or: {} }, "$or"],
  [{ $nor: [1] }, "$nor"],
  [{ stars: { $gt: 1, x: 2 } }, "$gt"],
  [{ nothing: { $bad: 1 } }, "$bad"],
  [{ $or: [{ name: "a" }, { name: { $bad: 1 } }] }, "$bad"],
  [[], ""],
];

const SORTS = [
  [undefined, "dcba"],
  ["created_date", "abcd"],
  ["-created_date", "dcba"],
  ["name", "abcd"],
  ["+name", "abcd"],
  ["-name", "dcba"],
  ["stars", "dabc"],
  ["-stars", "cbad"],
  ["done,-name", "dcba"],
  ["place.city", "dbac"],
  ["-place.city", "cabd"],
  // The smallest element counts ascending, the largest descending; an empty list is below null.
  ["scores", "dabc"],
  ["-scores", "cabd"],
  ["tags", "cdab"],
];

const AGGREGATES = [
  [{}, [{ count: 4 }]],
  [{ query: { name: "nobody" }, sum: "stars", avg: "stars" }, [{ count: 0, sum_stars: 0, avg_stars: null }]],
  [{ query: { name: "nobody" }, groupBy: "done" }, []],
  [
    { groupBy: "place.city", sum: "stars", avg: "price", min: "price", max: ["stars", "name"], countDistinct: "name" },
    [
      { "place.city": null, count: 1, sum_stars: 0, avg_price: null, min_price: null, max_stars: null, max_name: "d", count_distinct_name: 1 },
      { "place.city": "Oslo", count: 1, sum_stars: 3, avg_price: 2, min_price: 2, max_stars: 3, max_name: "b", count_distinct_name: 1 },
      { "place.city": "Rome", count: 2, sum_stars: 6, avg_price: 1.5, min_price: 1.5, max_stars: 5, max_name: "c", count_distinct_name: 2 },
    ],
  ],
  [
    { groupBy: ["done", "place.city"], count: false, query: { stars: { $gt: 1 } } },
    [{ done: false, "place.city": "Oslo" }, { done: false, "place.city": "Rome" }],
  ],
  [
    { dateBucket: { field: "due", unit: "month" } },
    [{ due: null, count: 1 }, { due: "2026-01", count: 2 }, { due: "2026-02", count: 1 }],
  ],
  [{ groupBy: "done", dateBucket: { field: "due", unit: "year" }, query: { due: { $exists: true } } }, [
    { done: false, due: "2026", count: 2 }, { done: true, due: "2026", count: 1 },
  ]],
  [{ groupBy: "done", having: { count: { $gt: 1 } } }, [{ done: false, count: 3 }]],
  [{ groupBy: "done", sort: "-count", limit: 1 }, [{ done: false, count: 3 }], true],
  [{ groupBy: "done", limit: 5000 }, [{ done: false, count: 3 }, { done: true, count: 1 }]],
  [
    { groupBy: "tags" },
    [{ tags: null, count: 1 }, { tags: [], count: 1 }, { tags: ["x", "y"], count: 1 }, { tags: ["y"], count: 1 }],
  ],
];

const AGGREGATES_REFUSED = [
  { groupBy: ["a", "b", "c", "d", "e"] },
  { dateBucket: { field: "due", unit: "week" } },
  { dateBucket: { field: "due", unit: "hour" } },
  { groupBy: 5 },
  { groupBy: "done", having: { count: { $bad: 1 } } },
  { query: { name: { $bad: 1 } } },
];

const names = (records) => records.map(({ name }) => name).join("");

async function queries() {
  for (const [query, found] of QUERIES) {
    await check(`filter ${JSON.stringify(query)}`, async () => {
      assert.equal(names(await Item.filter(query, "name")), found);
      assert.equal(names((await Item.filter(query, { sort: "name" })).items), found);
      assert.equal(await Item.count(query), found.length);
      const { rows } = await Item.aggregate({ query });
      assert.deepEqual(rows, [{ count: found.length }]);
    });
  }
  for (const [query, part] of REFUSED) {
    await check(`refused ${JSON.stringify(query)}`, async () => {
      const calls = [
        Item.filter(query), Item.filter(query, {}), Item.count(query), Item.aggregate({ query }), Item.deleteMany(query),
        Item.updateMany(query, { $set: { note: "changed" } }),
      ];
      for (const call of await Promise.allSettled(calls.map((call) => refused(call, 400, part)))) {
        assert.equal(call.status, "fulfilled", call.reason?.message);
      }
    });
  }
  await check("nothing was changed by what was refused", async () => assert.equal(await Item.count({ note: "changed" }), 0));
}

async function lists() {
  for (const [sort, order] of SORTS) {
    await check(`sort ${sort}`, async () => {
      assert.equal(names(await Item.list(sort)), order);
      assert.equal(names((await Item.list({ sort })).items), order);
      // The same order, one record a page.
      let [walked, cursor] = ["", undefined];
      do {
        const page = await Item.list({ sort, limit: 1, cursor });
        walked += names(page.items);
        cursor = page.next_cursor;
        assert.equal(page.has_more, cursor !== null);
      } while (cursor);
      assert.equal(walked, order);
    });
  }
  await check("limit, skip and fields", async () => {
    const [a, b] = await Item.list("name");
    assert.deepEqual(await Item.list("name", 1, 1, ["name"]), [{ id: b.id, name: "b" }]);
    assert.deepEqual(await Item.filter({ name: "a" }, "name", 5, 0, ["place.city"]), [{ id: a.id, place: { city: "Rome" } }]);
    assert.deepEqual((await Item.list({ sort: "name", limit: 1, fields: ["stars", "missing"] })).items, [{ id: a.id, stars: 1 }]);
    assert.equal((await Item.list("name", 9999)).length, 4);
    assert.equal((await Item.list("name", -1)).length, 4);
    assert.deepEqual(await Item.list("name", 10, 10), []);
    assert.equal(names(await Item.filter({ _id: a.id })), "a");
    assert.equal(names(await Item.filter({ id: [a.id, b.id] }, "name")), "ab");
    assert.deepEqual(await Item.get(a.id), a);
  });
}

async function pages() {
  await check("a page continues where it ended, whatever was deleted", async () => {
    await Item.bulkCreate(["v", "w", "x", "y", "z"].map((name) => ({ name, note: "page" })));
    const query = { note: "page" };
    const first = await Item.filter(query, { sort: "name", limit: 2 });
    assert.equal(names(first.items), "vw");
    await Item.delete(first.items[1].id);
    const { next_cursor: cursor } = first;
    assert.equal(names((await Item.filter(query, { sort: "name", limit: 2, cursor })).items), "xy");
    // Another way of writing the same is no difference.
    assert.equal(names((await Item.filter(query, { sort: "+name", limit: 2, cursor })).items), "xy");
    const whole = (await Item.list({ sort: "+name", limit: 1 })).next_cursor;
    assert.equal((await Item.filter({}, { sort: "name", limit: 1, cursor: whole })).items.length, 1);
    const last = await Item.list({ limit: 5, cursor });
    assert.deepEqual([names(last.items), last.next_cursor, last.has_more], ["xyz", null, false]);
    await refused(Item.filter({ note: "other" }, { cursor }), 400, "=Cursor does not match the query");
    await refused(Item.list({ sort: "-name", cursor }), 400, "=Cursor does not match the query");
    await refused(Item.list({ cursor: "nonsense" }), 400, "=Invalid cursor");
    await Item.deleteMany(query);
  });
  const distinct = [
    [undefined, "tags", ["x", "y"]],
    [undefined, "note", [null, "hello World"]],
    [undefined, "stars", [1, 3, 5]],
    [{ done: false }, "place.city", ["Oslo", "Rome"]],
    [undefined, "nothing", []],
  ];
  for (const [query, field, values] of distinct) {
    await check(`distinct ${field}`, async () => {
      const read = (options) => (query ? Item.filter(query, options) : Item.list(options));
      assert.deepEqual(await read({ distinct: field }), { items: values, next_cursor: null, has_more: false });
      let [walked, cursor] = [[], undefined];
      do {
        const page = await read({ distinct: field, limit: 1, cursor });
        walked = walked.concat(page.items);
        cursor = page.next_cursor;
      } while (cursor);
      assert.deepEqual(walked, values);
    });
  }
}

async function aggregates() {
  for (const [spec, rows, truncated = false] of AGGREGATES) {
    await check(`aggregate ${JSON.stringify(spec)}`, async () => {
      assert.deepEqual(await Item.aggregate(spec), { rows, truncated });
    });
  }
  for (const spec of AGGREGATES_REFUSED) {
    await check(`refused ${JSON.stringify(spec)}`, () => refused(Item.aggregate(spec), 400));
  }
  await check("stored dates have weeks", async () => {
    const { rows } = await Item.aggregate({ dateBucket: { field: "created_date", unit: "week" } });
    assert.match(rows[0].created_date, /^\d{4}-\d\d-\d\d$/);
    assert.equal(new Date(rows[0].created_date).getUTCDay(), 1);
  });
}

export async function reads() {
  await Item.bulkCreate(RECORDS);
  await queries();
  await lists();
  await pages();
  await aggregates();
  await Item.deleteMany({});
}
