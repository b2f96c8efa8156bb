// HTTP load: a fixed number of connections, each sending its next request when the last is answered. With wrk, except for what is so slow
// that the requests under way at the end of wrk's time would matter.

import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { removeFolder, temporaryFolder } from "./processes.mjs";

export const CONNECTIONS = 16;
const SCRIPT = join(import.meta.dirname, "wrk/requests.lua");
/** A server that answers seven times a second makes the last of sixteen wait over two seconds. */
const ANSWER_LIMIT_S = 30;
const WARM_UP_S = 1;
/** Answers a second below which answers are counted rather than seconds, and how many on each connection. */
const SLOW = 100;
const SLOW_TURNS = { quick: 2, full: 4 };

/**
 * Records good answers a second. What is measured for the first time runs a second unrecorded before.
 *
 * `requests` are `[method, path, body]`, sent in turn.
 */
export async function throughput(bench, metric, { side, url }, requests, token) {
  const key = `${metric}/${side}`;
  if (!bench.warm.has(key)) bench.warm.set(key, (await withWrk(bench, url, requests, token, WARM_UP_S)).perSecond);
  const measure = bench.warm.get(key) < SLOW ? byCount : withWrk;
  const { perSecond, failures } = await measure(bench, url, requests, token, bench.seconds);
  bench.record(metric, side, perSecond, failures);
}

async function withWrk(bench, url, requests, token, seconds) {
  const folder = temporaryFolder();
  const file = join(folder, "requests");
  const lines = requests.map(([method, path, body]) => [method, path, ...(body ? [JSON.stringify(body)] : [])].join("\t"));
  writeFileSync(file, lines.join("\n"));
  const header = token ? ["-H", `Authorization: Bearer ${token}`] : [];
  const args = ["-t1", `-c${CONNECTIONS}`, `-d${seconds}s`, "--timeout", `${ANSWER_LIMIT_S}s`, ...header, "-s", SCRIPT, url, "--", file];
  try {
    const { stdout } = await promisify(execFile)(bench.tools.wrk, args, { timeout: (seconds + 2 * ANSWER_LIMIT_S) * 1000 });
    const seen = JSON.parse(stdout.trimEnd().split("\n").at(-1));
    const failures = seen.refused + seen.broken + seen.late;
    return { perSecond: ((seen.requests - seen.refused) * 1e6) / seen.microseconds, failures };
  } finally {
    removeFolder(folder);
  }
}

async function byCount(bench, url, requests, token) {
  const turns = bench.quick ? SLOW_TURNS.quick : SLOW_TURNS.full;
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  let failures = 0;
  const connection = async (_, place) => {
    for (let turn = 0; turn < turns; turn += 1) {
      const [method, path, body] = requests[(turn * CONNECTIONS + place) % requests.length];
      const signal = AbortSignal.timeout(ANSWER_LIMIT_S * 1000);
      const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body), signal }).catch(() => undefined);
      await answer?.arrayBuffer();
      if (!answer?.ok) failures += 1;
    }
  };
  const begin = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  const seconds = (performance.now() - begin) / 1000;
  return { perSecond: (turns * CONNECTIONS - failures) / seconds, failures };
}
