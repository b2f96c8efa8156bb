// Backlot and the official dev server, each started on a project of its own in a home of its own, with a login that neither has to ask for.

import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { delimiter, dirname, join } from "node:path";
import { removeFolder, said, start, stop, temporaryFolder, until } from "./processes.mjs";

export const APP = "0123456789abcdef01234567";
export const EMAIL = "bench@example.com";
export const SIDES = ["backlot", "official"];

const text = { type: "string" };
const FIELDS = { title: text, key: text, status: text, note: text, amount: { type: "number" }, sent: { type: "number" } };
const OWN = { read: { created_by: "{{user.email}}" } };

/** The entities that the areas use: those whose name begins with `Own` are readable by their creators only. */
export const ENTITIES = ["Task", "Created", "Task1000", "Task5000", "Task25000", "Task100000", "Own1000", "Own25000", "Own100000"];
export const FUNCTIONS = ["hello", "f1", "f2", "f3", "f4"];
const HANDLER = join(import.meta.dirname, "bare/function.ts");

/** Stands in for the platform, so that no question of either server leaves the machine. */
export async function standIn() {
  const server = createServer((_, response) => response.writeHead(404).end("{}"));
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  server.unref();
  return `http://127.0.0.1:${server.address().port}`;
}

function makeHome({ entities, functions }) {
  const home = temporaryFolder();
  const write = (path, value) => {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), JSON.stringify(value));
  };
  write("project/base44/config.jsonc", { name: "Bench" });
  write("project/base44/.app.jsonc", { id: APP });
  for (const name of entities) {
    const rules = name.startsWith("Own") ? { rls: OWN } : {};
    write(`project/base44/entities/${name}.jsonc`, { name, type: "object", properties: FIELDS, ...rules });
  }
  for (const name of functions) cpSync(HANDLER, join(home, `project/base44/functions/${name}/entry.ts`));
  const tomorrow = Date.now() + 86_400_000;
  write(".base44/auth/auth.json", { accessToken: "a", refreshToken: "r", expiresAt: tomorrow, email: EMAIL, name: "Bench" });
  return home;
}

const commands = {
  backlot: (tools, project, platform) => [tools.backlot, ["dev", project, "--deno", tools.deno, "--upstream", platform]],
  official: (tools) => [process.execPath, [join(tools.official, "bin/run.js"), "dev"]],
};

/** A server that answers, with the milliseconds that took. */
export async function startServer(bench, side, { entities = ENTITIES, functions = FUNCTIONS } = {}) {
  const home = makeHome({ entities, functions });
  const project = join(home, "project");
  const [command, args] = commands[side](bench.tools, project, bench.platform);
  const env = {
    ...process.env,
    PATH: [dirname(bench.tools.deno), process.env.PATH].join(delimiter),
    HOME: home,
    XDG_RUNTIME_DIR: "",
    XDG_STATE_HOME: "",
    DENO_DIR: bench.denoFolder,
    CI: "true",
    BASE44_API_URL: bench.platform,
    BASE44_DISABLE_TELEMETRY: "1",
    B44_DEV_FUNCTIONS_RUNTIME: bench.officialRuntime,
  };
  const begin = performance.now();
  const program = start(command, args, { env, cwd: project });
  const [, announced] = await said(program, /Dev server is available at (http\S+)/);
  const server = new Server(side, program, home, announced.replace("localhost", "127.0.0.1"));
  await until(`${side}'s first answer`, () => server.answers(entities[0]));
  server.milliseconds = performance.now() - begin;
  return server;
}

class Server {
  constructor(side, program, home, url) {
    Object.assign(this, { side, program, home, url, pid: program.pid });
  }

  path(entity, tail = "") {
    return `/api/apps/${APP}/entities/${entity}${tail}`;
  }

  functionFile(name) {
    return join(this.home, `project/base44/functions/${name}/entry.ts`);
  }

  async answers(entity) {
    const answer = await fetch(this.url + this.path(entity)).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status === 200;
  }

  /** The parsed answer of a request that has to succeed. */
  async call(method, path, { body, token } = {}) {
    const answer = await fetch(this.url + path, {
      method,
      headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const parsed = await answer.json();
    if (!answer.ok) throw new Error(`${this.side}: ${method} ${path} → ${answer.status} ${JSON.stringify(parsed)}`);
    return parsed;
  }

  /** A token of the developer, whom both servers know from the login file. */
  async signIn() {
    const credentials = { email: EMAIL, password: "any password" };
    return (await this.call("POST", `/api/apps/${APP}/auth/login`, { body: credentials })).access_token;
  }

  async stop() {
    await stop(this.program);
    removeFolder(this.home);
  }
}

/** Both servers, the one that begins changing from round to round. */
export const inTurn = (round) => (round % 2 === 0 ? SIDES : SIDES.toReversed());

/** Starts both and prepares each; then measures, round after round, with the servers in that round's order. */
export async function withBoth(bench, prepare, measure) {
  const servers = [];
  try {
    for (const side of SIDES) servers.push(await startServer(bench, side));
    for (const server of servers) await prepare(server);
    for (let round = 0; round < bench.rounds; round += 1) {
      bench.say(`round ${round + 1}`);
      await measure(inTurn(round).map((side) => servers.find((server) => server.side === side)), round);
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}
