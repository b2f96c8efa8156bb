// Lists: the newest 20 and an equality filter among 1,000, 25,000 and 100,000 records, the same under an owner's read rule, and a list of 5,000.
// The official server is left out at 100,000, where it needs seconds for an answer: there the goal is Backlot's own cost.

import { throughput } from "../load.mjs";
import { KEY, MATCHES, seed } from "../seed.mjs";
import { withBoth } from "../servers.mjs";

const SIZES = [1_000, 25_000, 100_000];
const BACKLOT_ONLY_FROM = 100_000;
const NEWEST = "?sort=-created_date&limit=20";
const EQUAL = `?q=${encodeURIComponent(JSON.stringify({ key: KEY }))}`;

const KINDS = [
  { metric: "newest", label: "newest 20 of", entity: "Task", tail: NEWEST, count: 20, goal: 500 },
  { metric: "filter", label: "equality filter on", entity: "Task", tail: EQUAL, count: MATCHES, goal: 100 },
  { metric: "own-newest", label: "newest 20 under an owner rule, of", entity: "Own", tail: NEWEST, count: 20, goal: 50, token: true },
  { metric: "own-filter", label: "equality filter under it, on", entity: "Own", tail: EQUAL, count: MATCHES / 2, goal: 50, token: true },
];

const shown = (size) => size.toLocaleString("en");
const [small, , large] = SIZES;

/** It loads over HTTP. */
export const needsWrk = true;

export const lines = [
  ...KINDS.flatMap(({ metric, label, goal }) => [
    { label: `${label} ${shown(1_000)}`, unit: "/s", metric: `${metric}-1000` },
    { label: `${label} ${shown(25_000)}`, unit: "/s", metric: `${metric}-25000`, goal: { atLeast: goal } },
    {
      label: `… at ${shown(small)} against ${shown(large)}`,
      unit: "/s",
      ours: `${metric}-${small}/backlot`,
      theirs: `${metric}-${large}/backlot`,
      against: `at ${shown(large)}`,
      goal: { atMost: 1.5 },
    },
  ]),
  { label: "list of 5,000", unit: "/s", metric: "list-5000", goal: { atLeast: 10 } },
];

const plans = [
  ...SIZES.flatMap((size) => KINDS.map((kind) => ({ ...kind, size, metric: `${kind.metric}-${size}`, entity: kind.entity + size }))),
  { metric: "list-5000", entity: "Task5000", tail: "?sort=-created_date&limit=5000", count: 5000, size: 5000 },
];

const plansOf = (server) => plans.filter(({ size }) => server.side === "backlot" || size < BACKLOT_ONLY_FROM);

export async function run(bench) {
  const prepare = async (server) => {
    server.token = await server.signIn();
    const entities = new Map(plansOf(server).map(({ entity, size }) => [entity, size]));
    for (const [entity, size] of entities) {
      bench.say(`${server.side}: ${shown(size)} records of ${entity}`);
      await seed(server, entity, size, { token: server.token });
    }
    for (const plan of plansOf(server)) await check(server, plan);
  };
  await withBoth(bench, prepare, async (servers) => {
    for (const plan of plans) {
      for (const server of servers.filter((server) => plansOf(server).includes(plan))) {
        const requests = [["GET", server.path(plan.entity, plan.tail)]];
        await throughput(bench, plan.metric, server, requests, plan.token && server.token);
      }
    }
  });
}

async function check(server, { metric, entity, tail, count, token }) {
  const found = await server.call("GET", server.path(entity, tail), { token: token && server.token });
  if (found.length !== count) throw new Error(`${server.side}, ${metric}: ${found.length} records where ${count} were expected`);
}
