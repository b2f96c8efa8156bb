// Single records: get by id, create, update.

import { throughput } from "../load.mjs";
import { seed } from "../seed.mjs";
import { withBoth } from "../servers.mjs";

const VARIANTS = 64;

/** It loads over HTTP. */
export const needsWrk = true;

export const lines = [
  { label: "get by id", unit: "/s", metric: "get", goal: { atLeast: 4 } },
  { label: "create", unit: "/s", metric: "create", goal: { atLeast: 5 } },
  { label: "update", unit: "/s", metric: "update", goal: { atLeast: 5 } },
];

export async function run(bench) {
  const prepare = async (server) => {
    await seed(server, "Task1000", 1000);
    const some = await server.call("GET", server.path("Task1000", `?limit=${VARIANTS}`));
    server.plans = plans(server, some.map(({ id }) => id));
    await check(server, some[0]);
  };
  await withBoth(bench, prepare, async (servers) => {
    for (const { metric } of lines) {
      for (const server of servers) {
        await throughput(bench, metric, server, server.plans[metric]);
        // What a round created would make the next one another measurement.
        if (metric === "create") await server.call("DELETE", server.path("Created"), { body: {} });
      }
    }
  });
}

function plans(server, ids) {
  const record = { title: "Buy bread", key: "k1", status: "open", note: "The dark one", amount: 2 };
  return {
    get: ids.map((id) => ["GET", server.path("Task1000", `/${id}`)]),
    create: [["POST", server.path("Created"), record]],
    // Two passes with different values, so that an update always changes something.
    update: [1, 2].flatMap((amount) => ids.map((id) => ["PUT", server.path("Task1000", `/${id}`), { amount }])),
  };
}

async function check(server, { id, title }) {
  const found = await server.call("GET", server.path("Task1000", `/${id}`));
  const changed = await server.call("PUT", server.path("Task1000", `/${id}`), { body: { amount: 7 } });
  const created = await server.call("POST", server.path("Created"), { body: { title: "Buy bread" } });
  if (found.title !== title || changed.amount !== 7 || !created.id) throw new Error(`${server.side} answers wrongly`);
}
