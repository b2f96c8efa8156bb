// A warm function beside the bare Deno process that runs the same handler, the memory of each, and what bounds any call:
// the gateway's cheapest answer, and a Node server that does nothing else.

import { join } from "node:path";
import { throughput } from "../load.mjs";
import { denoMegabytes, measurable } from "../memory.mjs";
import { said, sleep, start, stop } from "../processes.mjs";
import { APP, FUNCTIONS, withBoth } from "../servers.mjs";

const SETTLE_MS = 1_000;
const bare = join(import.meta.dirname, "../bare");

/** It loads over HTTP. */
export const needsWrk = true;

export const lines = [
  { label: "warm function call", unit: "/s", metric: "warm", goal: { atLeast: 30 } },
  { label: "… against the bare Deno process", unit: "/s", ours: "warm/backlot", theirs: "warm/deno", against: "bare Deno", goal: { atLeast: 0.2 } },
  { label: "memory a function", unit: "MB", metric: "function-memory" },
  { label: "… against the bare Deno process", unit: "MB", ours: "function-memory/backlot", theirs: "function-memory/deno", against: "bare Deno", goal: { atMost: 1 } },
  { label: "the gateway alone", unit: "/s", ours: "bare/gateway", theirs: "bare/node", against: "bare Node" },
];

export async function run(bench) {
  const programs = [];
  try {
    for (const _ of FUNCTIONS) programs.push(await startDeno(bench));
    const denos = [...programs];
    const node = await startNode();
    programs.push(node);
    const prepare = async (server) => {
      for (const name of FUNCTIONS) await server.call("GET", `/api/apps/${APP}/functions/${name}`);
    };
    await withBoth(bench, prepare, async (servers, round) => {
      if (round === 0) await memory(bench, servers, denos);
      for (const server of servers) await throughput(bench, "warm", server, [["GET", `/api/apps/${APP}/functions/hello`]]);
      await limits(bench, servers.find(({ side }) => side === "backlot"), denos[0], node);
    });
  } finally {
    await Promise.all(programs.map(stop));
  }
}

async function startDeno(bench) {
  const env = { ...process.env, DENO_DIR: bench.denoFolder, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1", DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0" };
  const program = start(bench.tools.deno, ["run", "--allow-all", "--no-config", join(bare, "function.ts")], { env });
  return listening(program);
}

const startNode = () => listening(start(process.execPath, [join(bare, "node.mjs")], { env: process.env }));

async function listening(program) {
  [, program.url] = await said(program, /Listening on (http:\S+?)\/?\s/);
  await (await fetch(program.url)).json();
  return program;
}

/** All Deno processes run at once, so that what they share is divided among as many for each of the three. */
async function memory(bench, servers, denos) {
  if (!measurable) return;
  await sleep(SETTLE_MS);
  const mean = (roots) => {
    // A spare process that runs no function yet is smaller than those that do.
    const largest = denoMegabytes(roots).slice(0, FUNCTIONS.length);
    return largest.reduce((sum, megabytes) => sum + megabytes, 0) / largest.length;
  };
  for (const server of servers) bench.record("function-memory", server.side, mean([server.pid]));
  bench.record("function-memory", "deno", mean(denos.map(({ pid }) => pid)));
}

async function limits(bench, server, deno, node) {
  const settings = `/api/apps/public/prod/public-settings/by-id/${APP}`;
  await server.call("GET", settings);
  const measured = [
    ["warm", "deno", deno.url, "/"],
    ["bare", "node", node.url, "/"],
    ["bare", "gateway", server.url, settings],
  ];
  for (const [metric, side, url, path] of measured) {
    await throughput(bench, metric, { side, url }, [["GET", path]]);
  }
}
