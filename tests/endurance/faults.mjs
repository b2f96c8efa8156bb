// Kills Backlot's processes at random moments under load, and while files are saved. What may be lost is records, when the
// store dies; every request must be answered within its deadline, by what it asked for or by an error in JSON, and the server
// must recover every time, with what was saved last.
//
//   node tests/endurance/faults.mjs [--minutes 5] [--rate 100] [--backlot target/release/backlot]

import { randomInt } from "node:crypto";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { endAll, endOnSignals, sleep, temporaryFolder, until } from "../benches/processes.mjs";
import { standIn, startServer } from "../benches/servers.mjs";
import { findTools } from "../benches/tools.mjs";
import { DEADLINE_MS, Load } from "./load.mjs";
import { processesOf, survivors } from "./watching.mjs";

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    rate: { type: "string", default: "100" },
    backlot: { type: "string" },
    deno: { type: "string" },
  },
});
// A service that dies more than three times a minute is given up; each of these dies less often.
const VICTIMS = ["gateway", "store", "runner", "deno"];
const PAUSE_MS = 6_000;
const SAVE_MS = 250;
const RECOVERY_MS = 10_000;
const LEFT_MS = 10_000;
const REFUSED = ["ECONNREFUSED", "ECONNRESET", "EPIPE", "UND_ERR_SOCKET"];

const problems = [];
const complain = (text) => {
  problems.push(text);
  console.error(`! ${text}`);
};

const outcomes = new Map();
let slowest = 0;

function judge({ name, status, error, body, milliseconds }) {
  const outcome = status ?? error;
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  slowest = Math.max(slowest, milliseconds);
  if (milliseconds >= DEADLINE_MS) return complain(`${name} took ${Math.round(milliseconds)} ms`);
  if (status === undefined) return REFUSED.includes(error) || complain(`${name}: ${error}`);
  if (status < 300) return undefined;
  if (![404, 502, 503].includes(status)) return complain(`${name}: ${status} ${body}`);
  try {
    if (!JSON.parse(body).message) complain(`${name}: ${status} without a message: ${body}`);
  } catch {
    complain(`${name}: ${status} that is no JSON: ${body.slice(0, 200)}`);
  }
}

/** Saves a function again and again; it answers how often it was. */
class Saver {
  count = 0;

  constructor(file) {
    this.file = file;
    this.timer = setInterval(() => this.save(), SAVE_MS);
    this.save();
  }

  save() {
    this.count += 1;
    writeFileSync(this.file, `Deno.serve(() => new Response("${this.count}"));`);
  }

  stop() {
    clearInterval(this.timer);
  }
}

async function recovered(server, victim, saver) {
  const probe = new Load(server.url, () => {});
  const saved = saver.count;
  const works = async () => {
    await probe.create();
    if (probe.ids.length === 0) return false;
    const unchanged = await probe.ask("function", "POST", "/functions/hello", {});
    const current = await probe.ask("saved", "POST", "/functions/saved", {});
    return unchanged.status === 200 && current.status === 200 && Number(current.body) >= saved;
  };
  const begin = performance.now();
  await until(`recovery from the death of ${victim}`, works, { limit: RECOVERY_MS, pause: 20 }).catch((error) => complain(error.message));
  return performance.now() - begin;
}

async function torment(server, saver) {
  const load = new Load(server.url, judge);
  load.start(Number(options.rate));
  const end = performance.now() + Number(options.minutes) * 60_000;
  const recoveries = {};
  for (let turn = 0; performance.now() < end; turn += 1) {
    await sleep(PAUSE_MS / 2 + randomInt(PAUSE_MS));
    const victim = VICTIMS[turn % VICTIMS.length];
    const found = processesOf(server.pid).filter(({ role }) => role === victim);
    if (found.length === 0) continue;
    process.kill(found[randomInt(found.length)].pid, "SIGKILL");
    (recoveries[victim] ??= []).push(Math.round(await recovered(server, victim, saver)));
  }
  await load.stop();
  console.log("milliseconds until everything worked again:", recoveries);
  console.log("answers:", Object.fromEntries(outcomes), `slowest ${Math.round(slowest)} ms`);
}

endOnSignals();
const bench = { tools: findTools({ official: ".", ...options }), platform: await standIn(), denoFolder: temporaryFolder() };
try {
  const server = await startServer(bench, "backlot", { entities: ["Task"], functions: ["hello", "saved"] });
  const saver = new Saver(server.functionFile("saved"));
  await torment(server, saver);
  saver.stop();
  const processes = processesOf(server.pid);
  process.kill(server.pid, "SIGKILL");
  await until("nothing is left after the death of the command", () => survivors(processes).length === 0, { limit: LEFT_MS }).catch(() =>
    complain(`left behind: ${survivors(processes)}`),
  );
} finally {
  await endAll();
}
console.log(problems.length ? `${problems.length} problems` : "every request was answered, and nothing was left behind");
process.exitCode = problems.length ? 1 : 0;
