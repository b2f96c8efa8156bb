// A process full of realtime listeners: plain sockets that read just enough of WebSocket and Socket.IO to count events,
// so that several hundred of them are not what limits a measurement. Started by areas/realtime.mjs, which talks to it over IPC.

import { connect } from "node:net";

const [host, port, room, count] = process.argv.slice(2);
const TEXT = 1;
const CLOSE = 8;
const AT_ONCE = 50;
const SENT = Buffer.from('sent\\":');

const now = () => Number(process.hrtime.bigint()) / 1e6;

/** What is being counted: events of records with this key, `expected` for each socket. */
let task = { marker: Buffer.from("\0"), expected: Infinity, latencies: [], complete: 0, received: 0, last: 0 };

/** A client's frame; its mask is zero, which leaves the text as it is. */
function frame(text) {
  const body = Buffer.from(text);
  if (body.length > 125) throw new Error("only short frames are sent");
  return Buffer.concat([Buffer.from([0x80 | TEXT, 0x80 | body.length, 0, 0, 0, 0]), body]);
}

class Listener {
  constructor() {
    this.rest = Buffer.alloc(0);
    this.upgraded = false;
    this.events = 0;
    this.joined = new Promise((done, fail) => {
      this.done = done;
      this.socket = connect(Number(port), host, () => this.socket.write(handshake()));
      this.socket.on("error", fail);
    });
    this.socket.setNoDelay(true);
    this.socket.on("data", (data) => this.read(data));
  }

  read(data) {
    let buffer = this.rest.length ? Buffer.concat([this.rest, data]) : data;
    if (!this.upgraded) {
      const end = buffer.indexOf("\r\n\r\n");
      if (end < 0) return (this.rest = buffer);
      if (!buffer.subarray(0, 12).equals(Buffer.from("HTTP/1.1 101"))) return this.socket.destroy();
      this.upgraded = true;
      buffer = buffer.subarray(end + 4);
    }
    const time = now();
    let at = 0;
    for (let next; (next = boundsOf(buffer, at)); at = next.end) this.take(buffer[at] & 15, buffer, next, time);
    this.rest = at === 0 ? buffer : Buffer.from(buffer.subarray(at));
  }

  take(kind, buffer, { start, end }, time) {
    if (kind === CLOSE) return this.socket.destroy();
    const type = buffer.toString("latin1", start, Math.min(start + 2, end));
    if (type === "42") this.event(buffer.subarray(start, end), time);
    else if (type[0] === "0") this.socket.write(frame("40"));
    else if (type[0] === "2") this.socket.write(frame("3"));
    else if (type === "40") {
      this.socket.write(frame(`42${JSON.stringify(["join", room])}`));
      this.done();
    }
  }

  event(text, time) {
    if (text.indexOf(task.marker) < 0) return;
    const place = text.indexOf(SENT) + SENT.length;
    task.latencies.push(time - Number.parseFloat(text.toString("latin1", place, place + 24)));
    task.received += 1;
    task.last = time;
    this.events += 1;
    if (this.events === task.expected && (task.complete += 1) === listeners.length) report();
  }
}

function handshake() {
  return [
    "GET /ws-user-apps/socket.io/?EIO=4&transport=websocket HTTP/1.1",
    `Host: ${host}:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "\r\n",
  ].join("\r\n");
}

/** Where the text of the frame at `at` begins and ends, when all of it is there. */
function boundsOf(buffer, at) {
  if (buffer.length < at + 2) return undefined;
  const short = buffer[at + 1] & 127;
  const wide = { 126: 2, 127: 8 }[short] ?? 0;
  const start = at + 2 + wide;
  if (buffer.length < start) return undefined;
  const length = wide === 0 ? short : wide === 2 ? buffer.readUInt16BE(at + 2) : Number(buffer.readBigUInt64BE(at + 2));
  return start + length <= buffer.length ? { start, end: start + length } : undefined;
}

function report() {
  const { latencies, received, last } = task;
  process.send({ kind: "report", latencies: Float64Array.from(latencies), received, last });
}

const listeners = [];

process.on("message", ({ kind, key, expected }) => {
  if (kind === "count") {
    task = { marker: Buffer.from(`key\\":\\"${key}\\"`), expected, latencies: [], complete: 0, received: 0, last: 0 };
    for (const listener of listeners) listener.events = 0;
    process.send({ kind: "counting" });
  } else if (kind === "report") {
    report();
  }
});
process.on("disconnect", () => process.exit(0));

async function joinAll() {
  while (listeners.length < Number(count)) {
    const some = Array.from({ length: Math.min(AT_ONCE, Number(count) - listeners.length) }, () => new Listener());
    listeners.push(...some);
    await Promise.all(some.map(({ joined }) => joined));
  }
}

joinAll().then(
  () => process.send({ kind: "joined" }),
  (error) => process.send({ kind: "failed", reason: error.message }, () => process.exit(1)),
);
