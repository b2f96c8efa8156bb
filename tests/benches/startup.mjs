// Start to first answer, and idle memory, of Backlot and of the official dev server, side by side in interleaved rounds.
//
//   node tests/benches/startup.mjs --backlot target/release/backlot --official PACKAGE_DIR [--rounds 9]
//
// PACKAGE_DIR is the unpacked npm package `base44@0.1.18`; Deno has to be on PATH, because the official server asks for it.
// Memory is PSS summed over the process tree (Linux only). Prints a table, and JSON with --json.

import { spawn } from "node:child_process";
import { mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    backlot: { type: "string" },
    official: { type: "string" },
    rounds: { type: "string", default: "9" },
    json: { type: "boolean", default: false },
  },
});

const START_LIMIT_MS = 60_000;
const SETTLE_MS = 1_500;

/** A project with a login, so that neither server has to ask for one. */
function makeProject() {
  const home = mkdtempSync(join(tmpdir(), "backlot-bench-"));
  const write = (path, text) => {
    mkdirSync(join(home, path, ".."), { recursive: true });
    writeFileSync(join(home, path), text);
  };
  write("project/base44/config.jsonc", '{ "name": "Bench" }');
  write("project/base44/.app.jsonc", '{ "id": "0123456789abcdef01234567" }');
  const schema = { name: "Task", type: "object", properties: { title: { type: "string" } } };
  write("project/base44/entities/task.jsonc", JSON.stringify(schema));
  write("project/base44/functions/hello/entry.ts", 'Deno.serve(() => Response.json({ hello: "world" }));');
  const login = {
    accessToken: "a",
    refreshToken: "r",
    expiresAt: Date.now() + 86_400_000,
    email: "bench@example.com",
    name: "Bench",
  };
  write(".base44/auth/auth.json", JSON.stringify(login));
  return home;
}

/** Stands in for the platform, so that the official server's questions get an answer at once. */
async function standIn() {
  const server = createServer((_, response) => response.writeHead(404).end("{}"));
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return server;
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function answers(url) {
  try {
    return (await fetch(`${url}/api/apps/x/entities/Task`)).status === 200;
  } catch {
    return false;
  }
}

function treeOf(root) {
  const parents = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      parents.set(Number(pid), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It ended while we looked.
    }
  }
  const tree = new Set([root]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const [pid, parent] of parents) {
      if (tree.has(parent) && !tree.has(pid)) grown = tree.add(pid) && true;
    }
  }
  return [...tree];
}

function pssMegabytes(root) {
  const kilobytes = treeOf(root).map((pid) => {
    try {
      return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
    } catch {
      return 0;
    }
  });
  return kilobytes.reduce((sum, value) => sum + value, 0) / 1024;
}

/** One start: milliseconds until a list is answered, and megabytes when idle. */
async function measure(command, args, environment, cwd) {
  const begin = performance.now();
  const child = spawn(command, args, { cwd, env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (data) => (output += data));
  child.stderr.on("data", (data) => (output += data));
  const ended = new Promise((done) => child.on("exit", done));
  let url;
  while (!(url && (await answers(url)))) {
    url ??= /Dev server is available at (http\S+)/.exec(output)?.[1];
    if (child.exitCode !== null || performance.now() - begin > START_LIMIT_MS) throw new Error(`no answer:\n${output}`);
    await sleep(2);
  }
  const milliseconds = performance.now() - begin;
  await sleep(SETTLE_MS);
  const megabytes = pssMegabytes(child.pid);
  child.kill("SIGINT");
  await ended;
  return { milliseconds, megabytes };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function main() {
  const home = makeProject();
  const platform = await standIn();
  const environment = {
    HOME: home,
    XDG_RUNTIME_DIR: "",
    CI: "true",
    BASE44_API_URL: `http://127.0.0.1:${platform.address().port}`,
    BASE44_DISABLE_TELEMETRY: "1",
    B44_DEV_FUNCTIONS_RUNTIME: "deno",
  };
  const project = join(home, "project");
  const start = {
    backlot: () => measure(resolve(options.backlot), ["dev", project], environment, project),
    official: () =>
      measure(process.execPath, [resolve(options.official, "bin/run.js"), "dev"], environment, project),
  };
  const results = { backlot: [], official: [] };
  try {
    for (let round = 0; round < Number(options.rounds); round += 1) {
      for (const name of ["backlot", "official"]) results[name].push(await start[name]());
    }
  } finally {
    platform.close();
    rmSync(home, { recursive: true, force: true });
  }
  report(results);
}

function report(results) {
  const rows = ["milliseconds", "megabytes"].map((metric) => {
    const [ours, theirs] = ["backlot", "official"].map((name) => median(results[name].map((run) => run[metric])));
    return { metric, backlot: ours, official: theirs, ratio: ours / theirs };
  });
  if (options.json) return console.log(JSON.stringify({ rounds: Number(options.rounds), rows, results }));
  const names = { milliseconds: "start to first answer, ms", megabytes: "idle memory (PSS), MB" };
  for (const { metric, backlot, official, ratio } of rows) {
    console.log(
      `${names[metric].padEnd(28)} backlot ${backlot.toFixed(1).padStart(8)}   official ${official.toFixed(1).padStart(8)}   ratio ${ratio.toFixed(3)}`,
    );
  }
}

await main();
