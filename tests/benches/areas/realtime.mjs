// Realtime: how late events are at 50 writes a second with 200 and 1,000 listeners in one room, how fast a burst reaches 200,
// and what 10,000 idle listeners cost.

import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { Crowd } from "../crowd.mjs";
import { measurable, treeMegabytes } from "../memory.mjs";
import { APP, inTurn, SIDES, startServer } from "../servers.mjs";
import { clientModule } from "../tools.mjs";

const CROWDS = [200, 1_000];
const IDLE = 10_000;
/** Descriptors that a server with so many sockets needs, and some to spare. */
const DESCRIPTORS = IDLE + 1_000;
const SETTLE_MS = 1_000;
const WRITES_A_SECOND = 50;
const BURST = 1_000;
const WRITERS = 16;
const ROOM = `entities:${APP}:Task`;
/** How long events may still arrive after the last write. */
const TAIL_MS = 60_000;

export const lines = [
  ...CROWDS.map((count) => ({
    label: `p99 of an event, ${count.toLocaleString("en")} listeners`,
    unit: "ms",
    metric: `p99-${count}`,
    goal: { atMost: 0.5 },
  })),
  { label: "burst of 1,000 writes, 200 listeners, events", unit: "/s", metric: "burst", goal: { atLeast: 5 } },
  { label: "memory of 10,000 idle listeners", unit: "MB", metric: "idle-listeners", goal: { oursAtMost: 150 } },
];

const now = () => Number(process.hrtime.bigint()) / 1e6;

export async function run(bench) {
  for (let round = 0; round < bench.rounds; round += 1) {
    for (const side of inTurn(round)) {
      for (const count of CROWDS) {
        bench.say(`round ${round + 1}, ${side}: ${count} listeners`);
        await once(bench, side, count);
      }
    }
  }
  if (!measurable || descriptors() < DESCRIPTORS) {
    return bench.say(`idle listeners are not measured: that needs Linux and ulimit -n ${DESCRIPTORS}`);
  }
  for (const side of SIDES) {
    bench.say(`${side}: ${IDLE} idle listeners`);
    await idle(bench, side);
  }
}

async function idle(bench, side) {
  const server = await startServer(bench, side);
  let crowd;
  try {
    await pause(SETTLE_MS);
    const before = treeMegabytes(server.pid);
    crowd = await Crowd.join(server, ROOM, IDLE);
    await pause(SETTLE_MS);
    bench.record("idle-listeners", side, treeMegabytes(server.pid) - before);
  } finally {
    crowd?.leave();
    await server.stop();
  }
}

/** How many files a process may open; what is started here inherits it. */
const descriptors = () => Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))[1]);

async function once(bench, side, count) {
  const server = await startServer(bench, side);
  const agent = new Agent({ keepAlive: true, maxSockets: WRITERS });
  const write = (key, title = "Buy bread") => create(server, agent, { title, key, sent: now() });
  let crowd;
  try {
    await write("first");
    crowd = await Crowd.join(server, ROOM, count);
    await crowd.hearsAll(write);
    await steady(bench, server, crowd, write);
    if (count === CROWDS[0]) await burst(bench, server, crowd, write);
  } finally {
    crowd?.leave();
    agent.destroy();
    await server.stop();
  }
}

async function steady(bench, server, crowd, write) {
  const writes = bench.seconds * WRITES_A_SECOND;
  const judge = await listen(server);
  const heard = await crowd.hear("steady", writes, TAIL_MS, async () => {
    const begin = now();
    const sent = [];
    for (let number = 0; number < writes; number += 1) {
      await pause(Math.max(0, begin + (number * 1000) / WRITES_A_SECOND - now()));
      sent.push(write("steady", `${number}`));
    }
    await Promise.all(sent);
  });
  const expected = writes * crowd.count;
  const p99 = heard.latencies[Math.floor(heard.latencies.length * 0.99)];
  bench.record(`p99-${crowd.count}`, server.side, p99, expected - heard.received);
  await judge.check(writes);
}

async function burst(bench, server, crowd, write) {
  const begin = now();
  const heard = await crowd.hear("burst", BURST, TAIL_MS, async () => {
    let left = BURST;
    const writer = async () => {
      while ((left -= 1) >= 0) await write("burst");
    };
    await Promise.all(Array.from({ length: WRITERS }, writer));
  });
  const rate = heard.received / ((heard.last - begin) / 1000);
  bench.record("burst", server.side, rate, BURST * crowd.count - heard.received);
}

/** The real client, as one listener among the many: it has to hear of each record once. */
async function listen(server) {
  const { io } = await clientModule("socket.io-client");
  const socket = io(server.url, { path: "/ws-user-apps/socket.io/", transports: ["websocket"] });
  const titles = [];
  socket.on("update_model", ({ data }) => {
    const { data: record } = JSON.parse(data);
    if (record.key === "steady") titles.push(Number(record.title));
  });
  await new Promise((done, fail) => {
    socket.on("connect", done);
    socket.on("connect_error", fail);
  });
  socket.emit("join", ROOM);
  await pause(200);
  return {
    async check(writes) {
      await pause(200);
      socket.close();
      const once = new Set(titles).size;
      if (titles.length !== writes || once !== writes) {
        throw new Error(`${server.side}: socket.io-client heard ${titles.length} events, of ${once} records, where ${writes} were written`);
      }
    },
  };
}

/** A record by node:http, which costs the machine less than fetch. */
function create(server, agent, record) {
  const body = JSON.stringify(record);
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return new Promise((done, fail) => {
    const sending = request(server.url + server.path("Task"), { method: "POST", agent, headers }, (answer) => {
      answer.resume();
      answer.on("end", () => (answer.statusCode === 201 ? done() : fail(new Error(`${server.side}: a write got ${answer.statusCode}`))));
    });
    sending.on("error", fail);
    sending.end(body);
  });
}
