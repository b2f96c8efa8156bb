// A socket that listens while an entity is filled with RECORDS records and cleared with one request: it hears of every record
// once, of creations in order, and stays connected.

import assert from "node:assert/strict";
import { io } from "socket.io-client";

const { SERVER_URL, RECORDS } = process.env;
const count = Number(RECORDS);
const url = `${SERVER_URL}/api/apps/local/entities/Task`;
const headers = { "content-type": "application/json" };
const PATIENCE = 300_000;

const heard = { create: [], delete: [], probes: 0, gone: "" };
const options = { path: "/ws-user-apps/socket.io/", transports: ["websocket"], query: { token: "null" } };
const socket = io(SERVER_URL, { ...options, reconnection: false });
socket.on("connect", () => socket.emit("join", "entities:local:Task"));
socket.on("disconnect", (reason) => (heard.gone = reason));
socket.on("update_model", (message) => {
  const { type, data } = JSON.parse(message.data);
  if (data.priority < 0) heard.probes += 1;
  else heard[type].push(data.priority);
});

async function all(type) {
  const end = Date.now() + PATIENCE;
  while (heard[type].length < count) {
    assert.equal(heard.gone, "", type);
    assert.ok(Date.now() < end, `${type}: ${heard[type].length} of ${count}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return heard[type];
}

async function send(method, path, body) {
  const answer = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${method}: ${answer.status}`);
  return answer.json();
}

while (!heard.probes) {
  await send("POST", "", { priority: -1 });
  await new Promise((resolve) => setTimeout(resolve, 50));
}
await send("DELETE", "", { priority: -1 });

const tasks = Array.from({ length: count }, (_, priority) => ({ priority }));
for (let at = 0; at < count; at += 1000) await send("POST", "/bulk", tasks.slice(at, at + 1000));
const created = await all("create");
assert.ok(created.every((number, index) => number === index));
const { deleted } = await send("DELETE", "", {});
assert.equal(deleted, count);
const numbers = await all("delete");
assert.equal(new Set(numbers).size, count);
assert.equal(numbers.length, count);
socket.disconnect();
console.log("ok");
