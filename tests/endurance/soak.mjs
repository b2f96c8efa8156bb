// A steady mixed load for a long time, with a hundred saves: memory and descriptors must stay where they are, no request may
// fail, every subscriber must hear every event, each save must be served, and nothing may be left afterwards.
//
//   node tests/endurance/soak.mjs [--minutes 20] [--rate 150] [--backlot target/release/backlot]

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { endAll, endOnSignals, sleep, temporaryFolder, until } from "../benches/processes.mjs";
import { APP, standIn, startServer } from "../benches/servers.mjs";
import { clientModule, findTools } from "../benches/tools.mjs";
import { Load } from "./load.mjs";
import { percentile, processesOf, sample, survivors } from "./watching.mjs";

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "20" },
    rate: { type: "string", default: "150" },
    saves: { type: "string", default: "100" },
    backlot: { type: "string" },
    deno: { type: "string" },
    official: { type: "string" },
  },
});
const SAMPLE_MS = 5_000;
const SUBSCRIBERS = 20;
const SAVE_LIMIT_MS = 10_000;

const problems = [];
const complain = (text) => {
  problems.push(text);
  console.error(`! ${text}`);
};

/** Saves of several kinds, one after the other; each waits until it is served. */
class Saves {
  constructor(server) {
    this.server = server;
    this.done = 0;
  }

  async next() {
    const kinds = [() => this.handler(), () => this.rules(), () => this.environment(), () => this.shape()];
    await kinds[this.done % kinds.length]();
    this.done += 1;
  }

  write(path, text) {
    writeFileSync(join(this.server.home, "project", path), text);
  }

  served(what, probe) {
    return until(`${what} is served`, probe, { limit: SAVE_LIMIT_MS, pause: 10 }).catch((error) => complain(error.message));
  }

  async answerOf(path, init) {
    const answer = await fetch(`${this.server.url}/api/apps/${APP}/${path}`, init);
    return answer.text();
  }

  async handler() {
    const text = `version ${this.done}`;
    this.write("base44/functions/f1/entry.ts", `Deno.serve(() => new Response("${text}"));`);
    await this.served(text, async () => (await this.answerOf("functions/f1")) === text);
  }

  async rules() {
    const path = join(this.server.home, "project/base44/entities/Created.jsonc");
    const schema = JSON.parse(readFileSync(path, "utf8"));
    const read = this.done % 8 < 4 ? false : true;
    this.write("base44/entities/Created.jsonc", JSON.stringify({ ...schema, rls: { read } }));
    await this.answerOf("entities/Created", { method: "POST", body: "{}", headers: { "content-type": "application/json" } });
    await this.served(`read: ${read}`, async () => JSON.parse(await this.answerOf("entities/Created")).length > 0 === read);
  }

  async environment() {
    const text = `environment ${this.done}`;
    this.write(".env.local", `SOAK="${text}"\n`);
    this.write("base44/functions/f2/entry.ts", 'Deno.serve(() => new Response(Deno.env.get("SOAK")));');
    await this.served(text, async () => (await this.answerOf("functions/f2")) === text);
  }

  async shape() {
    const field = `added${this.done}`;
    const properties = { title: { type: "string" }, [field]: { type: "number" } };
    this.write("base44/entities/Task1000.jsonc", JSON.stringify({ name: "Task1000", type: "object", properties }));
    const body = JSON.stringify({ title: "x", [field]: 1 });
    const create = { method: "POST", body, headers: { "content-type": "application/json" } };
    await this.served(field, async () => JSON.parse(await this.answerOf("entities/Task1000", create))[field] === 1);
  }
}

/** Sockets that count what they hear of `Task`. */
async function subscribe(url) {
  const { io } = await clientModule("socket.io-client");
  const heard = [];
  for (let index = 0; index < SUBSCRIBERS; index += 1) {
    const socket = io(url, { path: "/ws-user-apps/socket.io/", transports: ["websocket"], query: { app_id: APP, token: "null" } });
    heard.push({ socket, events: 0 });
    socket.on("update_model", () => (heard[index].events += 1));
    socket.on("disconnect", (reason) => reason !== "io client disconnect" && complain(`a subscriber was cut off: ${reason}`));
    await new Promise((done) => socket.on("connect", done));
    socket.emit("join", `entities:${APP}:Task`);
  }
  return heard;
}

const WRITES = ["create", "update", "delete"];

async function soak(server) {
  const heard = await subscribe(server.url);
  await sleep(500);
  let [window, windows, writes, requests] = [[], [], 0, 0];
  const load = new Load(server.url, (answer) => {
    requests += 1;
    window.push(answer.milliseconds);
    if (answer.status >= 200 && answer.status < 300) writes += WRITES.includes(answer.name) ? 1 : 0;
    // An update or a read may meet a record that another request has just deleted.
    else if (answer.status !== 404) complain(`${answer.name}: ${answer.status ?? answer.error} ${answer.body ?? ""}`);
  });
  load.start(Number(options.rate));
  const length = Number(options.minutes) * 60_000;
  const [saves, count] = [new Saves(server), Number(options.saves)];
  const [begin, pause] = [performance.now(), length / (count + 1)];
  const sampling = setInterval(() => {
    windows.push({ roles: sample(server.pid), p50: percentile(window, 0.5), p99: percentile(window, 0.99) });
    window = [];
  }, SAMPLE_MS);
  while (saves.done < count) {
    await sleep(Math.max(0, begin + (saves.done + 1) * pause - performance.now()));
    await saves.next();
  }
  await sleep(Math.max(0, begin + length - performance.now()));
  clearInterval(sampling);
  await load.stop();
  await until("every event is heard", () => heard.every(({ events }) => events >= writes), { limit: 10_000 }).catch(() => {});
  for (const { events } of heard) if (events !== writes) complain(`a subscriber heard ${events} of ${writes} events`);
  for (const { socket } of heard) socket.disconnect();
  console.log(`${requests} requests, ${writes} writes, ${saves.done} saves`);
  return windows;
}

const median = (values) => percentile(values, 0.5);

/** One line a role and figure, by quarters of the time; complains about what grows. */
function judge(windows) {
  const quarter = Math.floor(windows.length / 4);
  const quarters = [0, 1, 2, 3].map((index) => windows.slice(index * quarter, (index + 1) * quarter));
  const line = (name, of) => {
    const values = quarters.map((windows) => median(windows.map(of)));
    console.log(name.padEnd(24) + values.map((value) => value.toFixed(1).padStart(10)).join(""));
    return values;
  };
  console.log("by quarters of the time".padEnd(24) + ["first", "second", "third", "last"].map((name) => name.padStart(10)).join(""));
  for (const role of ["dev", "store", "runner", "gateway", "deno"]) {
    // Deno processes come and go with saves; each by itself must stay as it is.
    if (!windows.some(({ roles }) => roles[role])) complain(`${role} was never seen`);
    const each = (roles, figure) => (roles[role]?.[figure] ?? 0) / (roles[role]?.processes ?? 1);
    const megabytes = line(`${role} MB`, ({ roles }) => each(roles, "megabytes"));
    if (megabytes[3] > megabytes[1] * 1.15 + 4) complain(`${role} grows: ${megabytes[1].toFixed(1)} MB, later ${megabytes[3].toFixed(1)} MB`);
    const descriptors = line(`${role} descriptors`, ({ roles }) => each(roles, "descriptors"));
    if (descriptors[3] > descriptors[1] + 16) complain(`${role} opens descriptors: ${descriptors[1]}, later ${descriptors[3]}`);
  }
  line("Deno processes", ({ roles }) => roles.deno?.processes ?? 0);
  line("p50 ms", ({ p50 }) => p50);
  line("p99 ms", ({ p99 }) => p99);
}

endOnSignals();
const bench = { tools: findTools({ official: ".", ...options }, []), platform: await standIn(), denoFolder: temporaryFolder() };
try {
  const server = await startServer(bench, "backlot", { entities: ["Task", "Created", "Task1000"], functions: ["hello", "f1", "f2"] });
  judge(await soak(server));
  const processes = processesOf(server.pid);
  await server.stop();
  for (const left of survivors(processes)) complain(`left behind: ${left}`);
} finally {
  await endAll();
}
console.log(problems.length ? `${problems.length} problems` : "steady: nothing failed, nothing grew, nothing was left");
process.exitCode = problems.length ? 1 : 0;
