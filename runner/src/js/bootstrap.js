// Runs in every function's Deno process, before and around the user's code.
//
// It connects back to the runner, which then says what to load. One server is started, on a free port of the loopback
// interface, whatever the user asks `Deno.serve` for. The connection to the runner is also the lifeline: when it ends,
// the runner is gone and so is this process.
//
// Plain JavaScript, because Deno would otherwise keep a compiled copy of this file in the user's cache for every launch.

const { connect, env, exit, inspect, readTextFileSync, serve, upgradeWebSocket } = Deno;
const { error: printError } = console;
const now = () => performance.now();

/** A timer of the engine itself: Deno's own bring Node's with them, two megabytes for each process. */
async function sleep(milliseconds) {
  const never = new Int32Array(new SharedArrayBuffer(4));
  await Atomics.waitAsync(never, 0, 0, milliseconds).value;
}

const NO_HANDLER = "The function must export default a request handler or call Deno.serve()";
// A module may call Deno.serve() from an async function that it does not wait for.
const LATE_SERVE_MS = 250;
// And another may wait, while it loads, for its server to finish.
const SERVED_MS = 300;
// Requests may be on their way when the runner takes the address back. That none is left is seen by so many turns of the
// event loop without one: on a busy machine turns are as late as requests, where a clock is not.
const LINGER_TURNS = 10;
const LINGER_TURN_MS = 20;
const LINGER_MOST_MS = 3000;
// How often the runner is told that the function is in use.
const TELL_MS = 10_000;

const own = new URL(".", import.meta.url).href;
const state = {
  name: "",
  root: "",
  /** Other folders that code comes from. */
  elsewhere: [],
  home: env.get("HOME") ?? "",
  handler: undefined,
  onError: undefined,
  served: Promise.withResolvers(),
  /** Requests, sockets and background work that have not ended, each with the id of its request. */
  uses: new Set(),
  /** How many have begun. */
  requests: 0,
  lastUsed: now(),
  /** After so long a request is warned of. */
  slowMs: Infinity,
  /** When the runner was last told of a call. */
  told: -Infinity,
  tell() {},
  /** Requests whose answer has not begun, with their ids and since when; those that are answered at once never get here. */
  answering: new Set(),
  background: new Set(),
  sockets: new Set(),
};

// === What errors look like ===

/** A folder outside the project as seen from its root: `../shop/`. */
function seen(folder) {
  const [from, to] = [state.root.split("/"), folder.split("/")];
  let shared = 0;
  while (shared < Math.min(from.length, to.length) && from[shared] === to[shared]) shared++;
  return `${"../".repeat(from.length - shared)}${to.slice(shared).join("/")}/`;
}

/** Paths inside the project become relative to it; no other absolute path leaves this process in an answer. */
function relative(text) {
  const places = [[`file://${encodeURI(state.root)}/`, ""], [`${state.root}/`, ""], [own, ""]];
  for (const folder of state.elsewhere) {
    places.push([`file://${encodeURI(folder)}/`, seen(folder)], [`${folder}/`, seen(folder)]);
  }
  if (state.home.length > 1) places.push([`file://${encodeURI(state.home)}/`, "~/"], [`${state.home}/`, "~/"]);
  return places.reduce((text, [from, to]) => text.replaceAll(from, to), text);
}

/** The stack without the lines that are ours or Deno's, and those of its causes. */
function userStack(error, depth = 0) {
  if (!(error instanceof Error)) return inspect(error, { colors: false });
  const text = String(error.stack || `${error.name}: ${error.message}`);
  const ours = (line) => /^\s+at /.test(line) && (line.includes(own) || /\(?(ext|node):/.test(line));
  const stack = widened(error, text.split("\n").filter((line) => !ours(line)).join("\n"));
  return error.cause === undefined || depth >= 5 ? stack : `${stack}\nCaused by ${userStack(error.cause, depth + 1)}`;
}

/** A refusal says how to get the permission here; Deno's flags are not the user's to give. */
function widened(error, text) {
  const flag = /, run again with the --allow-\S+ flag/;
  // That of an import is a mere TypeError.
  if (!(error instanceof Deno.errors.NotCapable) && !(error instanceof TypeError && flag.test(text))) return text;
  // Deno has other sentences too; what it says goes in their first line then.
  return text.replace(flag.test(text) ? flag : /\.?$/m, "; `--function-permissions all` allows it");
}

/** Where in the user's code the error happened: `/home/ada/shop/base44/functions/x/entry.ts:3:5`, or undefined. */
function placeOf(error) {
  const stack = error instanceof Error ? String(error.stack ?? "") : "";
  const urls = [state.root, ...state.elsewhere].map((folder) => `file://${encodeURI(folder)}/`);
  for (const line of stack.split("\n")) {
    const url = urls.find((url) => line.includes(url));
    if (!url || !/^\s+at /.test(line)) continue;
    const place = /^file:\/\/(.+?:\d+:\d+)/.exec(line.slice(line.indexOf(url)));
    if (place) return decodeURI(place[1]);
  }
}

/** A parser's message goes on with a drawing of the line, a network error's with its causes by number. */
const undrawn = (text) => text.split("\n").filter((line) => !/^\s*((\d+ )?\||[1-9]\d*: )/.test(line));

/** Deno's advice is about a `deno.json`, which does not count here, and flags that nobody can give. */
const importable = (text) =>
  text.replace(/\s*hint: .*`deno add ((npm|jsr):[^`]+)`/, '; import it as "$1"').replace(" or run with --sloppy-imports", "");

/** Of a broken JSON file that is imported nothing else is known. */
const isOfJson = (error) => error instanceof SyntaxError && /\bJSON\b/.test(error.message) && !placeOf(error);

/** One line for the answer: what was thrown, without stack, code frame or absolute path. */
function summaryOf(error) {
  if (!(error instanceof Error)) return relative(inspect(error, { colors: false, compact: true, breakLength: Infinity }));
  let text = undrawn(String(error.message).split("\n    at ")[0]);
  text = text.map((line) => line.replace(/^\s+(0: )?/, "")).join(" ").trim();
  text = widened(error, importable(text));
  const plain = error.name === "Error" || error.code === "ERR_MODULE_NOT_FOUND" || /^\w*Error: /.test(text);
  return relative(plain ? text : `${error.name}: ${text}`);
}

function withPlace(error) {
  const [summary, place] = [summaryOf(error), relative(placeOf(error) ?? "")];
  return place && !summary.includes(place) ? `${summary} (${place})` : summary;
}

/** The lines around a place, with a mark below it, or undefined. */
function frameOf(place) {
  const parts = /^(.+):(\d+):(\d+)$/.exec(place ?? "");
  if (!parts) return;
  const [, file, line, column] = [...parts.slice(0, 2), Number(parts[2]), Number(parts[3])];
  let lines;
  try {
    lines = readTextFileSync(file).replace(/^\ufeff/, "").trimEnd().split(/\r?\n/);
  } catch {
    return;
  }
  const width = String(line + 1).length;
  const shown = [];
  for (let at = Math.max(1, line - 2); at <= Math.min(lines.length, line + 1); at++) {
    shown.push(`${String(at).padStart(width)} | ${lines[at - 1].slice(0, 200)}`);
    if (at === line) shown.push(`${" ".repeat(width)} | ${" ".repeat(Math.min(column, 200) - 1)}^`);
  }
  return shown.join("\n");
}

// === Output ===

const idOf = (request) => request?.headers.get("x-request-id") ?? undefined;

/** Follows requests through whatever they wait for; absent until requests first overlap, for it is Node's code as well. */
let tracker;
let tracking = false;

async function track() {
  tracking = true;
  const { AsyncLocalStorage } = await import("node:async_hooks");
  tracker = new AsyncLocalStorage();
}

/** The id of the request that is being handled here; unknown between requests, and for those that met before the tracker came. */
function currentId() {
  const tracked = tracker?.getStore();
  if (tracked !== undefined) return tracked;
  const [only, ...others] = new Set([...state.uses].map((use) => use.id));
  return others.length === 0 ? only : undefined;
}

/** Tells the runner, within the output itself, the level of each line and the request that it belongs to. */
function marked(level, id, text) {
  return text.split("\n").map((line) => `\u001e${level}${id ?? ""}\u001f${line}`).join("\n");
}

/** `console` as it was, but for the marks. What needs Deno's own formatting goes without. */
function markConsole() {
  for (const [method, level] of [["log", "I"], ["info", "I"], ["debug", "I"], ["warn", "W"], ["error", "E"]]) {
    const print = console[method];
    console[method] = (...values) => {
      const id = currentId();
      const formatted = values.length > 1 && typeof values[0] === "string" && values[0].includes("%");
      if (formatted || (id === undefined && method !== "warn")) return print(...values);
      const texts = values.map((value) => typeof value === "string" ? value : inspect(value, { colors: false }));
      print(marked(level, id, texts.join(" ")));
    };
  }
}

// === Requests ===

function failed(error, request) {
  const id = idOf(request) ?? currentId();
  printError(marked("E", id, `Uncaught ${userStack(error)}`));
  return errorResponse(500, `Function "${state.name}" threw ${withPlace(error)}`, id);
}

function errorResponse(status, message, id) {
  const body = {
    message,
    detail: message,
    error_type: "FunctionError",
    request_id: id ?? null,
    traceback: "",
    error: message,
  };
  return Response.json(body, { status });
}

async function rescue(error, request) {
  if (state.onError) {
    try {
      return await state.onError(error);
    } catch (worse) {
      return failed(worse, request);
    }
  }
  return failed(error, request);
}

function checked(response, request) {
  if (response instanceof Response) return response;
  const got = response === null ? "null" : typeof response;
  return rescue(new TypeError(`the handler must return a Response, not ${got}`), request);
}

/** Counts something as use of this process, for this request, until the returned function is called. */
function use(id) {
  const entry = { id };
  state.uses.add(entry);
  return () => {
    if (state.uses.delete(entry)) state.lastUsed = now();
  };
}

function dispatch(request, info) {
  const id = idOf(request);
  const done = use(id);
  if (state.uses.size > 1 && !tracking) track();
  state.requests += 1;
  state.lastUsed = now();
  if (state.lastUsed - state.told > TELL_MS) {
    state.told = state.lastUsed;
    state.tell({ used: {} });
  }
  // Before Deno had `completed`, the beginning of the answer has to do.
  (info.completed ?? Promise.resolve()).then(done, done);
  const handler = state.handler;
  if (!handler) return errorResponse(503, `Function "${state.name}" has shut down its server`, id);
  try {
    const response = tracker && id !== undefined ? tracker.run(id, handler, request, info) : handler(request, info);
    if (response instanceof Response) return response;
    const entry = { id, since: state.lastUsed };
    state.answering.add(entry);
    return Promise.resolve(response).then(
      (response) => {
        state.answering.delete(entry);
        return checked(response, request);
      },
      (error) => {
        state.answering.delete(entry);
        return rescue(error, request);
      },
    );
  } catch (error) {
    return rescue(error, request);
  }
}

/** Says once of each request that it takes longer than it may when deployed. */
function warnOfSlow() {
  for (const entry of state.answering) {
    if (now() - entry.since < state.slowMs) continue;
    state.answering.delete(entry);
    const text = `a request has been running for ${state.slowMs / 1000} s; a deployed function may be stopped by then`;
    printError(marked("W", entry.id, text));
  }
}

const server = serve({ hostname: "127.0.0.1", port: 0, onListen() {}, onError: failed }, dispatch);

// === What user code sees ===

/** `Deno.serve` in its three forms. Where to listen is not the user's choice here. */
function userServe(first, second) {
  const [options, handler] = typeof first === "function" ? [{}, first] : [first ?? {}, second ?? first?.handler];
  if (typeof handler !== "function") throw new TypeError("A handler function must be provided.");
  const finished = Promise.withResolvers();
  const shutdown = () => {
    if (state.handler === handler) state.handler = undefined;
    finished.resolve();
    return finished.promise;
  };
  state.handler = handler;
  state.onError = options.onError;
  state.served.resolve();
  options.signal?.addEventListener("abort", shutdown, { once: true });
  return {
    addr: { ...server.addr },
    finished: finished.promise,
    shutdown,
    ref() {},
    unref() {},
    [Symbol.asyncDispose]: shutdown,
  };
}

/** An open socket counts as use, and is closed when this version of the function leaves. */
function userUpgradeWebSocket(...args) {
  const upgraded = upgradeWebSocket.apply(Deno, args);
  const done = use(currentId());
  state.sockets.add(upgraded.socket);
  upgraded.socket.addEventListener("close", () => {
    state.sockets.delete(upgraded.socket);
    done();
  });
  return upgraded;
}

function waitUntil(promise) {
  const id = currentId();
  const done = use(id);
  const settled = Promise.resolve(promise)
    .catch((error) => printError(marked("E", id, `Uncaught (in waitUntil) ${userStack(error)}`)))
    .finally(() => {
      state.background.delete(settled);
      done();
    });
  state.background.add(settled);
  return promise;
}

function install() {
  markConsole();
  const define = (target, key, value) =>
    Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true });
  define(Deno, "serve", userServe);
  define(Deno, "upgradeWebSocket", userUpgradeWebSocket);
  define(globalThis, "Base44", { secrets: { get: (name) => env.get(String(name)) }, waitUntil });
  define(globalThis, "EdgeRuntime", { waitUntil });
}

function exported(module) {
  const value = module.default;
  if (typeof value === "function") return value;
  if (typeof value?.fetch === "function") return (request, info) => value.fetch(request, info);
}

// === The runner's orders ===

function die(error) {
  printError(marked("E", undefined, `Uncaught ${userStack(error)}`));
  exit(1);
}

async function load({ name, root, elsewhere, entry, slow_ms }) {
  state.name = name;
  state.root = root;
  state.elsewhere = elsewhere;
  state.slowMs = slow_ms;
  let module;
  try {
    const imported = import(entry);
    const served = state.served.promise.then(() => sleep(SERVED_MS));
    module = await Promise.race([imported, served]);
    // Served, but still loading: what goes wrong from now on ends the process, as anywhere else.
    if (module === undefined) imported.catch(die);
  } catch (error) {
    const [stack, frame] = [importable(userStack(error)), frameOf(placeOf(error)) ?? ""];
    const detail = frame ? undrawn(stack).join("\n") : stack;
    const message = isOfJson(error) ? `a JSON file that it imports is broken: ${error.message}` : withPlace(error);
    return { failed: { message, detail, frame, place: relative(placeOf(error) ?? "") } };
  }
  if (!state.handler && module) state.handler = exported(module);
  if (!state.handler) await Promise.race([state.served.promise, sleep(LATE_SERVE_MS)]);
  if (!state.handler) return { failed: { message: NO_HANDLER, detail: "", frame: "", place: "" } };
  // A promise that was rejected meanwhile, and that nobody waits for, ends the process before it is up.
  await sleep(1);
  state.lastUsed = now();
  return { listening: { port: server.addr.port } };
}

async function drain({ linger }) {
  if (!state.handler) exit(0);
  const began = now();
  for (let turns = 0; linger && turns < LINGER_TURNS && now() - began < LINGER_MOST_MS; turns++) {
    const seen = state.requests;
    await sleep(LINGER_TURN_MS);
    if (state.requests !== seen) turns = -1;
  }
  const shutdown = server.shutdown();
  // Newer versions of Deno close sockets themselves, with 1001. Only some codes are open to us.
  await sleep(50);
  for (const socket of state.sockets) socket.close(4000, "the function was reloaded");
  await shutdown;
  while (state.background.size > 0) await Promise.all(state.background);
  exit(0);
}

async function main() {
  const [hostname, port] = env.get("BACKLOT_CONTROL").split(":");
  const token = env.get("BACKLOT_CONTROL_TOKEN");
  env.delete("BACKLOT_CONTROL");
  env.delete("BACKLOT_CONTROL_TOKEN");
  const gone = () => exit(0);
  const link = await connect({ hostname, port: Number(port) }).catch(gone);
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  let queue = Promise.resolve();
  const send = (message) => {
    const bytes = encoder.encode(JSON.stringify(message) + "\n");
    queue = queue.then(async () => {
      for (let sent = 0; sent < bytes.length;) sent += await link.write(bytes.subarray(sent)).catch(gone);
    });
    return queue;
  };
  const obey = (order) => {
    if (order.load) load(order.load).then(send).catch(die);
    else if (order.drain) drain(order.drain).catch(die);
    else if (order.ping) {
      warnOfSlow();
      send({ usage: { in_flight: state.uses.size, idle_ms: Math.floor(now() - state.lastUsed) } });
    }
  };

  state.tell = send;
  install();
  await send({ hello: token });
  const buffer = new Uint8Array(16384);
  let text = "";
  for (;;) {
    const count = await link.read(buffer).catch(() => null);
    if (count === null) gone();
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    const lines = text.split("\n");
    text = lines.pop();
    for (const line of lines) obey(JSON.parse(line));
  }
}

main().catch(die);
