// Many realtime listeners in one room, spread over two processes, and what they heard.

import { fork } from "node:child_process";
import { join } from "node:path";
import { until } from "./processes.mjs";

const PROCESSES = 2;
const JOIN_LIMIT_MS = 60_000;
const PROBE_PAUSE_MS = 300;

const message = (child, kind, limit) =>
  new Promise((done, fail) => {
    const timer = setTimeout(() => settle(fail, new Error(`listeners: no "${kind}" within ${limit / 1000} s`)), limit);
    const hear = (heard) => {
      if (heard.kind === "failed") settle(fail, new Error(`listeners: ${heard.reason}`));
      else if (heard.kind === kind) settle(done, heard);
    };
    const gone = () => settle(fail, new Error(`listeners ended before "${kind}"`));
    function settle(how, value) {
      clearTimeout(timer);
      child.off("message", hear);
      child.off("exit", gone);
      how(value);
    }
    child.on("message", hear);
    child.on("exit", gone);
  });

export class Crowd {
  /** Connects `count` sockets that ask to join. */
  static async join(server, room, count) {
    const { hostname, port } = new URL(server.url);
    const script = join(import.meta.dirname, "sockets.mjs");
    const share = Math.ceil(count / PROCESSES);
    const start = (size) => fork(script, [hostname, port, room, String(size)], { serialization: "advanced" });
    const children = [start(share), start(count - share)];
    const crowd = new Crowd(children, count);
    try {
      await Promise.all(children.map((child) => message(child, "joined", JOIN_LIMIT_MS)));
    } catch (error) {
      crowd.leave();
      throw error;
    }
    return crowd;
  }

  constructor(children, count) {
    Object.assign(this, { children, count });
  }

  /** Resolves once every socket has joined. A join has no answer, so records are written (`write(key)`) until one has been heard everywhere. */
  async hearsAll(write) {
    let probe = 0;
    await until("an event for every listener", async () => {
      const key = `probe${(probe += 1)}`;
      const heard = await this.hear(key, 1, PROBE_PAUSE_MS * probe, () => write(key));
      return heard.received === this.count;
    });
  }

  /** Counts events of records with that key while `act` writes `expected` of them, and for `limit` milliseconds at most after. */
  async hear(key, expected, limit, act) {
    await Promise.all(
      this.children.map((child) => {
        const ready = message(child, "counting", JOIN_LIMIT_MS);
        child.send({ kind: "count", key, expected });
        return ready;
      }),
    );
    const reports = this.children.map((child) => message(child, "report", limit + 600_000));
    await act();
    const timer = setTimeout(() => this.children.forEach((child) => child.send({ kind: "report" })), limit);
    const all = await Promise.all(reports);
    clearTimeout(timer);
    return {
      received: all.reduce((sum, { received }) => sum + received, 0),
      last: Math.max(...all.map(({ last }) => last)),
      latencies: Float64Array.from(all.flatMap(({ latencies }) => [...latencies])).sort(),
    };
  }

  leave() {
    for (const child of this.children) child.kill();
  }
}
