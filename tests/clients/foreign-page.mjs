// A page of another site in Chromium: whatever it tries, it can neither read from the server nor change anything there. The
// same page on this machine can do both, which shows that the tries are good ones.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { inBrowser } from "./browser.mjs";

const { SERVER_URL, TASKS } = process.env;
const { port } = new URL(SERVER_URL);
const tasks = SERVER_URL + TASKS;

const site = createServer((_request, response) => {
  response.setHeader("content-type", "text/html");
  response.end("<!doctype html><title>A page</title>");
});
await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
const at = (name) => `http://${name}:${site.address().port}/`;

const stored = async () => (await (await fetch(tasks)).json()).map(({ title }) => title).sort();

/** Runs in the page. What came of each try: a status, or the error's name. */
async function everything({ tasks, server, who }) {
  const outcome = (promise) => promise.then((answer) => answer.status, (error) => error.name);
  const title = (way) => JSON.stringify({ title: `${who} by ${way}` });
  const json = { "content-type": "application/json" };
  const outcomes = {
    read: await outcome(fetch(tasks)),
    readWithCredentials: await outcome(fetch(tasks, { credentials: "include" })),
    readMedia: await outcome(fetch(`${server}/media/none.txt`)),
    create: await outcome(fetch(tasks, { method: "POST", headers: json, body: title("JSON") })),
    removeAll: await outcome(fetch(`${tasks}/000000000000000000000000`, { method: "DELETE" })),
    // Requests that browsers send without asking the server first.
    plain: await outcome(fetch(tasks, { method: "POST", body: title("text") })),
    blind: await outcome(fetch(tasks, { method: "POST", mode: "no-cors", body: title("no-cors") })),
  };
  navigator.sendBeacon(tasks, title("beacon"));
  const form = document.createElement("form");
  const frame = Object.assign(document.createElement("iframe"), { name: "hidden" });
  Object.assign(form, { method: "post", action: tasks, target: "hidden", enctype: "text/plain" });
  form.append(Object.assign(document.createElement("input"), { name: `{"title":"${who} by form","x":"`, value: '"}' }));
  document.body.append(frame, form);
  form.submit();
  outcomes.socket = await new Promise((resolve) => {
    const address = `${server.replace("http", "ws")}/ws-user-apps/socket.io/?EIO=4&transport=websocket`;
    const socket = new WebSocket(address);
    socket.onmessage = () => resolve("open");
    socket.onerror = () => resolve("refused");
  });
  return outcomes;
}

async function settled(page, expected) {
  await page.waitForTimeout(0);
  const deadline = Date.now() + 60_000;
  for (;;) {
    const titles = await stored();
    if (titles.length >= expected.length || Date.now() > deadline) return titles;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

await inBrowser(
  async (page) => {
    const run = async (name, server) => {
      await page.goto(at(name));
      return page.evaluate(everything, { tasks, server, who: name });
    };
    const nothing = "TypeError";
    const foreign = await run("evil.example", SERVER_URL);
    assert.deepEqual(foreign, {
      read: nothing,
      readWithCredentials: nothing,
      readMedia: nothing,
      create: nothing,
      removeAll: nothing,
      plain: nothing,
      // Sent, and its answer hidden: what matters is that it changed nothing.
      blind: 0,
      socket: "refused",
    });

    const local = await run("localhost", SERVER_URL);
    assert.deepEqual(local, {
      read: 200,
      readWithCredentials: 200,
      readMedia: 404,
      create: 201,
      removeAll: 404,
      plain: 201,
      blind: 0,
      socket: "open",
    });
    const ways = ["JSON", "beacon", "form", "no-cors", "text"];
    const expected = ways.map((way) => `localhost by ${way}`);
    // The later tries have arrived: had the earlier ones been taken, they would be there.
    assert.deepEqual(await settled(page, expected), expected);

    // A name that leads here makes the page and the server one origin for the browser.
    const rebound = await page.goto(`http://evil.example:${port}${TASKS}`);
    assert.equal(rebound.status(), 421);
    assert.ok(!(await rebound.text()).includes("localhost by"));

    // Nor can a click on the sign-in page be stolen.
    await page.goto(at("evil.example"));
    const framed = page.waitForEvent("console", (message) => message.text().includes("frame-ancestors"));
    await page.evaluate((url) => {
      document.body.append(Object.assign(document.createElement("iframe"), { src: url }));
    }, `${SERVER_URL}/login`);
    await framed;
  },
  ["--host-resolver-rules=MAP evil.example 127.0.0.1"],
);
site.close();
