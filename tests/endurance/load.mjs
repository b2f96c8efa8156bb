// A steady, mixed load: records are read, written and deleted, functions called, files uploaded, so many times a second. Every
// request has a deadline, and what came of it is told.

import { randomInt } from "node:crypto";
import { APP } from "../benches/servers.mjs";

/** No request may take longer, whatever happens. */
export const DEADLINE_MS = 10_000;
const MOST_RECORDS = 2_000;
const root = `/api/apps/${APP}`;

export class Load {
  /** `each` hears of every request: `{ name, status, milliseconds, body, error }`. */
  constructor(url, each) {
    Object.assign(this, { url, each, ids: [], open: new Set(), timer: undefined });
  }

  /** Sends that many requests a second until it is stopped; a late answer does not hold up the next request. */
  start(perSecond) {
    const begin = performance.now();
    let sent = 0;
    this.timer = setInterval(() => {
      for (const due = ((performance.now() - begin) / 1000) * perSecond; sent < due; sent += 1) this.send();
    }, 10);
  }

  async stop() {
    clearInterval(this.timer);
    await Promise.all(this.open);
  }

  send() {
    const request = this.next().finally(() => this.open.delete(request));
    this.open.add(request);
  }

  next() {
    const [dice, id] = [randomInt(100), this.ids.length ? this.ids[randomInt(this.ids.length)] : undefined];
    if (!id || dice < 12) return this.create();
    if (dice < 20 || this.ids.length > MOST_RECORDS) return this.remove();
    if (dice < 35) return this.ask("update", "PUT", `${root}/entities/Task/${id}`, { amount: dice });
    if (dice < 60) return this.ask("get", "GET", `${root}/entities/Task/${id}`);
    if (dice < 72) return this.ask("newest", "GET", `${root}/entities/Task?limit=20`);
    if (dice < 82) return this.ask("filter", "GET", `${root}/entities/Task?q=${encodeURIComponent('{"status":"s3"}')}&limit=20`);
    if (dice < 97) return this.ask("function", "POST", `${root}/functions/hello`, {});
    return this.upload();
  }

  async create() {
    const answer = await this.ask("create", "POST", `${root}/entities/Task`, { title: "soak", status: `s${randomInt(10)}`, amount: 1 });
    if (answer.status === 201) this.ids.push(JSON.parse(answer.body).id);
  }

  remove() {
    const [id] = this.ids.splice(randomInt(this.ids.length), 1);
    return this.ask("delete", "DELETE", `${root}/entities/Task/${id}`);
  }

  upload() {
    const form = new FormData();
    form.append("file", new Blob(["x".repeat(10_000)]), "soak.txt");
    return this.ask("upload", "POST", `${root}/integration-endpoints/Core/UploadFile`, form);
  }

  async ask(name, method, path, body) {
    const begin = performance.now();
    const outcome = await this.fetch(method, path, body).catch((error) => ({ error: error.cause?.code ?? error.name }));
    const answer = { name, milliseconds: performance.now() - begin, ...outcome };
    this.each(answer);
    return answer;
  }

  async fetch(method, path, body) {
    const isForm = body instanceof FormData;
    const answer = await fetch(this.url + path, {
      method,
      body: body && !isForm ? JSON.stringify(body) : body,
      headers: isForm ? {} : { "content-type": "application/json" },
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    return { status: answer.status, body: await answer.text() };
  }
}
