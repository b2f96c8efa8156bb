// A fresh start: time to the first answer, memory when idle, and the first call of a function.

import { sleep } from "../processes.mjs";
import { measurable, treeMegabytes } from "../memory.mjs";
import { APP, inTurn, startServer } from "../servers.mjs";

/** A person needs longer than this to go from the terminal to the browser. */
const SETTLE_MS = 1_500;

export const lines = [
  { label: "start to first answer", unit: "ms", metric: "start", goal: { atMost: 0.1 } },
  { label: "idle memory, all processes", unit: "MB", metric: "idle", goal: { atMost: 0.4 } },
  { label: "first call of a function", unit: "ms", metric: "first-call", goal: { atMost: 0.6 } },
];

export async function run(bench) {
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.say(`round ${round + 1}`);
    for (const side of inTurn(round)) await once(bench, side);
  }
}

async function once(bench, side) {
  const server = await startServer(bench, side, { entities: ["Task"], functions: ["hello"] });
  try {
    bench.record("start", side, server.milliseconds);
    await sleep(SETTLE_MS);
    if (measurable) bench.record("idle", side, treeMegabytes(server.pid));
    const begin = performance.now();
    const answer = await server.call("GET", `/api/apps/${APP}/functions/hello`);
    bench.record("first-call", side, performance.now() - begin);
    if (answer.hello !== "world") throw new Error(`${side}: the function answered ${JSON.stringify(answer)}`);
  } finally {
    await server.stop();
  }
}
