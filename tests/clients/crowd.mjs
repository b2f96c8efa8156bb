// Many sockets in one room: SOCKETS of them hear WRITES records, RATE a second, each once and in order. Says how long the
// events took, and ends with "ok". TRANSPORTS are those of engine.io-client, in its order.

import assert from "node:assert/strict";
import { io } from "socket.io-client";

const { SERVER_URL, APP_ID } = process.env;
const [SOCKETS, WRITES, RATE] = ["SOCKETS", "WRITES", "RATE"].map((name) => Number(process.env[name]));
const transports = process.env.TRANSPORTS?.split(",") ?? ["websocket"];
const room = `entities:${APP_ID}:Task`;
const url = `${SERVER_URL}/api/apps/${APP_ID}/entities/Task`;
const PATIENCE = 180_000;

const sockets = Array.from({ length: SOCKETS }, () => ({ heard: [], probes: [] }));
const latencies = [];

async function until(what, done) {
  const end = Date.now() + PATIENCE;
  while (!done()) {
    assert.ok(Date.now() < end, `in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function write(number) {
  const body = JSON.stringify({ title: `${number} ${performance.now()}`, priority: number });
  const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
  assert.equal(answer.status, 201);
}

function connect(socket) {
  const options = { path: "/ws-user-apps/socket.io/", transports, query: { app_id: APP_ID, token: "null" } };
  socket.io = io(SERVER_URL, { ...options, forceNew: true, reconnection: false });
  socket.io.on("connect", () => socket.io.emit("join", room));
  socket.io.on("disconnect", (reason) => (socket.gone = reason));
  socket.io.on("update_model", (message) => {
    const { title, priority } = JSON.parse(message.data).data;
    if (priority < 0) return socket.probes.push(-priority);
    latencies.push(performance.now() - Number(title.split(" ")[1]));
    socket.heard.push(priority);
  });
}

for (let at = 0; at < SOCKETS; at += 100) {
  const some = sockets.slice(at, at + 100);
  some.forEach(connect);
  await until("sockets connect", () => some.every((socket) => socket.io.connected));
}
// What is written while sockets still join and change their transports reaches each from its first event on.
let probes = 0;
const isSettled = ({ io, probes }) => probes.length > 0 && io.io.engine.transport.name === transports.at(-1);
while (!sockets.every(isSettled)) {
  assert.ok((probes += 1) < 1_000, "a socket hears nothing, or keeps its first transport");
  await write(-probes);
  await new Promise((resolve) => setTimeout(resolve, transports.length > 1 ? 5 : 50));
}

const begin = performance.now();
const writes = [];
for (let number = 0; number < WRITES; number += 1) {
  const due = begin + (number * 1000) / RATE;
  const early = due - performance.now();
  if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
  // One after the other, so that the order is known.
  await write(number);
}
await until("every event arrives", () => sockets.every(({ heard, gone }) => gone || heard.length >= WRITES));
const expected = Array.from({ length: WRITES }, (_, number) => number);
for (const { heard, probes: early, gone } of sockets) {
  assert.equal(gone, undefined);
  assert.deepEqual(heard, expected);
  assert.deepEqual(early, Array.from({ length: probes + 1 - early[0] }, (_, number) => early[0] + number));
}
latencies.sort((a, b) => a - b);
const at = (share) => latencies[Math.floor(latencies.length * share)].toFixed(1);
console.log(`${SOCKETS} sockets, ${WRITES} writes in ${(performance.now() - begin).toFixed(0)} ms`);
console.log(`event after its write began: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, last ${latencies.at(-1).toFixed(1)} ms`);
console.log("ok");
process.exit(0);
