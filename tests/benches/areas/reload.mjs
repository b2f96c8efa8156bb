// From saving a function's file to its new answer, while others keep calling it; and how many of those calls fail.

import { setTimeout as pause } from "node:timers/promises";
import { writeFileSync } from "node:fs";
import { APP, withBoth } from "../servers.mjs";

const CALLERS = 4;
const LIMIT_MS = 120_000;
/** Calls that still arrive after the new answer, so that what an old process drops is counted. */
const AFTER_MS = 700;

export const lines = [
  { label: "save to new code serving", unit: "ms", metric: "save", goal: { atMost: 0.3 } },
  { label: "failed calls a save", unit: "", metric: "save-failures", goal: { oursAtMost: 0 } },
];

export async function run(bench) {
  const prepare = (server) => server.call("GET", `/api/apps/${APP}/functions/hello`);
  let version = 0;
  await withBoth(bench, prepare, async (servers) => {
    version += 1;
    for (const server of servers) {
      const { milliseconds, failures } = await save(server, version);
      bench.record("save", server.side, milliseconds);
      bench.record("save-failures", server.side, failures);
    }
  });
}

async function save(server, version) {
  const seen = { failures: 0, done: false, at: undefined };
  const calling = Array.from({ length: CALLERS }, () => keepCalling(server, version, seen));
  await pause(300);
  const begin = performance.now();
  writeFileSync(server.functionFile("hello"), `Deno.serve(() => Response.json({ version: ${version} }));\n`);
  while (!seen.at && performance.now() - begin < LIMIT_MS) await pause(5);
  await pause(AFTER_MS);
  seen.done = true;
  await Promise.all(calling);
  if (!seen.at) throw new Error(`${server.side}: the saved function did not answer within ${LIMIT_MS / 1000} s`);
  return { milliseconds: seen.at - begin, failures: seen.failures };
}

async function keepCalling(server, version, seen) {
  while (!seen.done) {
    try {
      const answer = await fetch(`${server.url}/api/apps/${APP}/functions/hello`, { signal: AbortSignal.timeout(LIMIT_MS) });
      const body = await answer.json();
      if (answer.status !== 200) seen.failures += 1;
      else if (body.version === version) seen.at ??= performance.now();
    } catch {
      seen.failures += 1;
      // A server that refuses at once is not to be flooded.
      await pause(5);
    }
  }
}
