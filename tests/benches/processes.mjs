// Starts programs in process groups of their own, and sees to it that none outlives the benchmark, however that ends.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { treeOf } from "./memory.mjs";

const STOP_LIMIT_MS = 10_000;
const KEPT_OUTPUT = 16_384;

const running = new Set();
const folders = new Set();

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Tries until `probe` gives something, and throws with `what` was waited for when it took too long. */
export async function until(what, probe, { limit = 120_000, pause = 2 } = {}) {
  const end = performance.now() + limit;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (performance.now() > end) throw new Error(`${what}: waited ${limit / 1000} s in vain`);
    await sleep(pause);
  }
}

/** A folder that is gone when the benchmark ends. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "backlot-bench-"));
  folders.add(folder);
  return folder;
}

export function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  folders.delete(folder);
}

/** A program that runs; `output()` is the last of what it wrote. */
export function start(command, args, { env, cwd } = {}) {
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const program = { child, pid: child.pid, text: "", ended: false };
  const keep = (data) => (program.text = (program.text + data).slice(-KEPT_OUTPUT));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  program.exit = new Promise((done) => {
    child.on("error", (error) => done(keep(`${error.message}\n`)));
    child.on("exit", done);
  }).then(() => {
    program.ended = true;
    running.delete(program);
  });
  program.output = () => program.text;
  running.add(program);
  return program;
}

/** The first match of `pattern` in a program's output. */
export async function said(program, pattern, limit = 120_000) {
  const found = await until(
    `${pattern} from ${program.child.spawnfile}`,
    () => pattern.exec(program.text) ?? (program.ended && "ended"),
    { limit },
  ).catch((error) => Promise.reject(new Error(`${error.message}\n${program.text}`)));
  if (found === "ended") throw new Error(`${program.child.spawnfile} ended:\n${program.text}`);
  return found;
}

/** Asks a program to end; kills it and its children when it does not. */
export async function stop(program) {
  if (program.ended) return;
  const tree = treeOf(program.pid);
  program.child.kill("SIGINT");
  const late = Symbol("late");
  if ((await Promise.race([program.exit, sleep(STOP_LIMIT_MS).then(() => late)])) === late) killAll(tree);
  await program.exit;
}

function killAll(pids) {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
}

/** Ends everything that was started here, and removes what was written. */
export async function endAll() {
  await Promise.all([...running].map(stop));
  for (const folder of folders) removeFolder(folder);
}

/** Lets a signal end the run as an error would. */
export function endOnSignals() {
  for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]]) {
    process.once(signal, async () => {
      console.error("\nending what was started");
      await endAll();
      process.exit(status);
    });
  }
  process.on("exit", () => {
    for (const program of running) killAll(treeOf(program.pid));
    for (const folder of folders) removeFolder(folder);
  });
}
