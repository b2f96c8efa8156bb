// Memory of a process and of all below it, as PSS: shared pages count once, divided among those who share them. Linux only.

import { existsSync, readFileSync, readdirSync } from "node:fs";

/** Whether memory can be measured here. */
export const measurable = existsSync("/proc/self/smaps_rollup");

/** A process and all its descendants, by id. */
export function treeOf(root) {
  const tree = new Set([root]);
  const parents = measurable ? parentsOfAll() : new Map();
  for (let grown = true; grown; ) {
    grown = false;
    for (const [pid, parent] of parents) {
      if (tree.has(parent) && !tree.has(pid)) grown = Boolean(tree.add(pid));
    }
  }
  return [...tree];
}

function parentsOfAll() {
  const parents = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      parents.set(Number(pid), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It ended while we looked.
    }
  }
  return parents;
}

function megabytesOf(pid) {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** Megabytes of the whole tree. */
export const treeMegabytes = (root) => sum(treeOf(root).map(megabytesOf));

/** Megabytes of each Deno process below these, the largest first. */
export function denoMegabytes(roots) {
  const isDeno = (pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0].endsWith("deno");
    } catch {
      return false;
    }
  };
  return roots
    .flatMap(treeOf)
    .filter(isDeno)
    .map(megabytesOf)
    .toSorted((a, b) => b - a);
}
