// Memory of all processes when records are held.

import { sleep } from "../processes.mjs";
import { measurable, treeMegabytes } from "../memory.mjs";
import { seed } from "../seed.mjs";
import { inTurn, startServer } from "../servers.mjs";

const SETTLE_MS = 2_000;
const SIZES = [25_000, 100_000];
/** Memory hardly varies, and filling takes long. */
const ROUNDS = 3;

export const lines = [
  { label: "memory with 25,000 records", unit: "MB", metric: "memory-25000", goal: { atMost: 0.3 } },
  { label: "memory with 100,000 records", unit: "MB", metric: "memory-100000" },
];

export async function run(bench) {
  if (!measurable) return bench.say("skipped: it reads /proc");
  for (let round = 0; round < Math.min(bench.rounds, ROUNDS); round += 1) {
    for (const side of inTurn(round)) await once(bench, side);
  }
}

async function once(bench, side) {
  const server = await startServer(bench, side);
  try {
    let from = 0;
    for (const size of SIZES) {
      bench.say(`${side}: ${size} records`);
      await seed(server, "Task", size, { from });
      from = size;
      await sleep(SETTLE_MS);
      bench.record(`memory-${size}`, side, treeMegabytes(server.pid));
    }
  } finally {
    await server.stop();
  }
}
