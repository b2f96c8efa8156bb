// Backlot's query language against mingo, an independent implementation of MongoDB's: random cases to both, answers compared.
// A run is repeated with the seed that it prints: `SEED=7`.

import { aggregate as reference, find, Query, update as change } from "mingo";
import { isDeepStrictEqual } from "node:util";

import { reason } from "./mingo/exceptions.mjs";
import { Cases, translated } from "./mingo/random.mjs";
import * as server from "./mingo/server.mjs";

const seed = Number(process.env.SEED);
const cases = new Cases(seed);
const differences = [];
let compared = 0;
let excepted = 0;

function compare(part, detail, ours, theirs) {
  compared += 1;
  if (!isDeepStrictEqual(ours, theirs)) {
    const show = JSON.stringify;
    differences.push(`${part}: ${show(detail)}\n    Backlot ${show(ours)}\n    mingo   ${show(theirs)}`);
  }
}

/** Runs `work` for each number below `count`, a few at a time. */
async function each(count, work) {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      await work(next++);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

async function filters() {
  // Enough documents for the server to keep indexes.
  const documents = await server.fill(Array.from({ length: 300 }, () => cases.document()));
  const queries = Array.from({ length: 1_000 }, () => cases.filter());
  await each(queries.length, async (place) => {
    const q = queries[place];
    const judge = new Query(translated(q));
    const theirs = documents.filter((document) => judge.test(document)).map((document) => document.i);
    const ours = await server.places({ q });
    const wrong = [...ours.filter((i) => !theirs.includes(i)), ...theirs.filter((i) => !ours.includes(i))];
    // Of long lists that differ, one place says more than all.
    const shown = (places) => (wrong.length > 0 ? places.includes(wrong[0]) : places);
    compare("filter", { q, example: documents[wrong[0]] }, shown(ours), shown(theirs));
    if (place % 10 === 0) {
      compare("count", { q }, await server.count(q), theirs.length);
    }
  });
}

async function orders() {
  const documents = await server.fill(Array.from({ length: 280 }, () => cases.row()));
  const asked = Array.from({ length: 200 }, () => ({
    names: cases.order(),
    q: cases.pick([{}, { n: { $gte: 2 } }, { a: { $exists: true } }]),
    skip: cases.below(20),
    limit: 1 + cases.below(40),
  }));
  await each(asked.length, async (place) => {
    const { names, q, skip, limit } = asked[place];
    const direction = (name) => (name.startsWith("-") ? -1 : 1);
    const fields = names.map((name) => [name.replace("-", ""), direction(name)]);
    // Among equals Backlot keeps the order of creation, in the direction of the first field.
    const order = Object.fromEntries([...fields, ["i", direction(names[0])]]);
    const sort = names.join(",");
    const whole = [...find(documents, q).sort(order)].map((document) => document.i);
    compare("sort", { sort, q }, await server.places({ sort, q }), whole);
    const part = await server.places({ sort, q, skip, limit });
    compare("skip and limit", { sort, q, skip, limit }, part, whole.slice(skip, skip + limit));
    compare("pages", { sort, q, limit }, await server.pagedPlaces({ sort, q, limit }), whole);
  });
}

async function updates() {
  const before = await server.fill(Array.from({ length: 1_200 }, () => cases.document(2)));
  const asked = before.map((document) => ({ update: cases.update(), expected: structuredClone(document) }));
  await each(before.length, async (i) => {
    const one = asked[i];
    one.refused = await server.update({ i }, one.update).then(() => undefined, (error) => error.message);
    try {
      change(one.expected, structuredClone(one.update));
    } catch (error) {
      one.theirRefusal = error.message;
    }
    // Places that mingo leaves empty in an array are null in JSON.
    one.expected = JSON.parse(JSON.stringify(one.expected));
  });
  const after = await server.documents();
  asked.forEach(({ update, expected, refused, theirRefusal }, i) => {
    const ours = refused === undefined ? after[i] : "refused";
    const theirs = theirRefusal === undefined ? expected : "refused";
    const isExcepted = reason({ before: before[i], update, expected, refused: refused !== undefined }) !== undefined;
    if (isExcepted && !isDeepStrictEqual(ours, theirs)) {
      excepted += 1;
      return;
    }
    compare("update", { update, on: before[i], refused }, ours, theirs);
  });
}

async function aggregations() {
  const documents = await server.fill(Array.from({ length: 200 }, () => cases.row()));
  const specs = Array.from({ length: 200 }, () => cases.aggregation());
  await each(specs.length, async (place) => {
    const spec = specs[place];
    const { rows } = await server.aggregate(spec);
    compare("aggregate", spec, sorted(rows), sorted(groups(documents, spec)));
  });
}

/** What MongoDB's pipeline makes of an aggregation. */
function groups(documents, spec) {
  const field = (name) => `$${name}`;
  const key = Object.fromEntries(spec.groupBy.map((name, place) => [`k${place}`, { $ifNull: [field(name), null] }]));
  const totals = ["sum", "avg", "min", "max"].flatMap((measure) =>
    spec[measure].map((name) => [`${measure}_${name}`.replace(".", "_"), { [`$${measure}`]: field(name) }]),
  );
  const distinct = spec.countDistinct.map((name) => [`count_distinct_${name}`.replace(".", "_"), { $addToSet: field(name) }]);
  const group = { _id: key, count: { $sum: 1 }, ...Object.fromEntries([...totals, ...distinct]) };
  return reference(documents, [{ $match: spec.query }, { $group: group }]).map(({ _id, ...totals }) => ({
    ...Object.fromEntries(spec.groupBy.map((name, place) => [name, _id[`k${place}`]])),
    ...Object.fromEntries(Object.entries(totals).map(([name, value]) => [name, total(name, value)])),
  }));
}

/** Distinct values are counted without null, as MongoDB's accumulators pass it over. */
function total(name, value) {
  return name.startsWith("count_distinct_") ? value.filter((one) => one !== null && one !== undefined).length : value ?? null;
}

/** Rows as texts that do not depend on the order of rows and columns; mingo takes no dots in the names of columns. */
function sorted(rows) {
  const columns = (row) => Object.entries(row).map(([name, value]) => [name.replace(".", "_"), value]);
  return rows.map((row) => JSON.stringify(columns(row).sort())).sort();
}

for (const part of [filters, orders, updates, aggregations]) {
  await part();
}
if (differences.length > 0) {
  console.error(`${differences.length} of ${compared} answers differ with SEED=${seed}:`);
  differences.slice(0, 12).forEach((difference) => console.error(`- ${difference}`));
}
console.log(`${compared} answers compared, ${excepted} excepted, ${differences.length} differ`);
process.exit(differences.length === 0 ? 0 : 1);
