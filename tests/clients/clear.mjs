// Two sockets that listen while an entity is filled with RECORDS records and cleared with one request: each hears of every
// record once, in order, and stays connected.

import assert from "node:assert/strict";
import { io } from "socket.io-client";

const { SERVER_URL, RECORDS } = process.env;
const count = Number(RECORDS);
const url = `${SERVER_URL}/api/apps/local/entities/Task`;
const headers = { "content-type": "application/json" };
const PATIENCE = 60_000;

const sockets = [0, 1].map(() => ({ create: [], delete: [], probes: 0, gone: "" }));
for (const socket of sockets) {
  const options = { path: "/ws-user-apps/socket.io/", transports: ["websocket"], query: { token: "null" } };
  socket.io = io(SERVER_URL, { ...options, forceNew: true, reconnection: false });
  socket.io.on("connect", () => socket.io.emit("join", "entities:local:Task"));
  socket.io.on("disconnect", (reason) => (socket.gone = reason));
  socket.io.on("update_model", (message) => {
    const { type, data } = JSON.parse(message.data);
    if (data.priority < 0) socket.probes += 1;
    else socket[type].push(data.priority);
  });
}

async function until(what, done) {
  const end = Date.now() + PATIENCE;
  while (!done()) {
    for (const { gone } of sockets) assert.equal(gone, "", what);
    assert.ok(Date.now() < end, `in vain: ${what}; ${sockets.map((socket) => socket.delete.length)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function send(method, path, body) {
  const answer = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${method}: ${answer.status}`);
  return answer.json();
}

while (!sockets.every((socket) => socket.probes)) {
  await send("POST", "", { priority: -1 });
  await new Promise((resolve) => setTimeout(resolve, 50));
}
await send("DELETE", "", { priority: -1 });

const task = (_, priority) => ({ title: "x".repeat(200), priority });
await send("POST", "/bulk", Array.from({ length: count }, task));
await until("records are created", () => sockets.every((socket) => socket.create.length === count));
const { deleted } = await send("DELETE", "", {});
assert.equal(deleted, count);
await until("records are deleted", () => sockets.every((socket) => socket.delete.length === count));
const inOrder = (numbers) => numbers.every((number, index) => number === index);
for (const socket of sockets) {
  assert.ok(inOrder(socket.create), "creations come once and in order");
  assert.equal(new Set(socket.delete).size, count);
  socket.io.disconnect();
}
console.log("ok");
