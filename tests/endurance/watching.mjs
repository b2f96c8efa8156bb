// What a server's processes hold, sampled: memory, open descriptors, how many there are. Linux only.

import { readFileSync, readdirSync } from "node:fs";
import { treeOf } from "../benches/memory.mjs";

const read = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

/** `store`, `runner`, `gateway`, `dev`, `deno`, or what the program is called. */
function roleOf(pid) {
  const [program = "", ...args] = read(`/proc/${pid}/cmdline`).split("\0");
  const name = program.split("/").at(-1);
  return name.startsWith("backlot") ? args[0] : name;
}

/** Every process of the tree: `{ pid, role }`. */
export const processesOf = (root) => treeOf(root).map((pid) => ({ pid, role: roleOf(pid) })).filter(({ role }) => role);

/** One sample by role: megabytes of PSS, open descriptors, processes. */
export function sample(root) {
  const roles = {};
  for (const { pid, role } of processesOf(root)) {
    const held = (roles[role] ??= { megabytes: 0, descriptors: 0, processes: 0 });
    held.megabytes += Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1024;
    held.descriptors += descriptorsOf(pid);
    held.processes += 1;
  }
  return roles;
}

function descriptorsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** Processes among these that still run, as `pid role`. */
export const survivors = (processes) => processes.filter(({ pid, role }) => roleOf(pid) === role).map(({ pid, role }) => `${pid} ${role}`);

/** The value below which that share of `values` lies. */
export function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
