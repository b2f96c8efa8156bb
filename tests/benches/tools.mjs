// The programs that a comparison needs, found or fetched: Backlot's binary, the official server's package, Deno, wrk.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join, resolve } from "node:path";

export const OFFICIAL_VERSION = "0.1.18";
const workspace = resolve(import.meta.dirname, "../..");
const clients = join(workspace, "tests/clients");

const onPath = (name) =>
  process.env.PATH.split(delimiter)
    .map((folder) => join(folder, name))
    .find(existsSync);

/** Every tool's path, or an error that says how to get the one that is missing. */
export function findTools(options, areas = []) {
  const tools = { wrk: areas.some(({ needsWrk }) => needsWrk) && wrk() };
  return { ...tools, official: official(options.official), deno: deno(options.deno), backlot: backlot(options.backlot) };
}

function given(path, flag) {
  const found = resolve(path);
  if (!existsSync(found)) throw new Error(`${flag} names ${found}, which does not exist`);
  return found;
}

function backlot(path) {
  if (path) return given(path, "--backlot");
  console.error("building Backlot (cargo build --release -p cli)");
  execFileSync("cargo", ["build", "--release", "-q", "-p", "cli"], { cwd: workspace, stdio: ["ignore", "inherit", "inherit"] });
  const target = process.env.CARGO_TARGET_DIR ?? join(workspace, "target");
  return join(resolve(workspace, target), "release/backlot");
}

function official(path) {
  if (path) return given(path, "--official");
  const folder = join(workspace, "target/tests", `official-${OFFICIAL_VERSION}`);
  const unpacked = join(folder, "package");
  if (existsSync(join(unpacked, "bin/run.js"))) return unpacked;
  console.error(`fetching base44@${OFFICIAL_VERSION} (npm pack)`);
  mkdirSync(folder, { recursive: true });
  execFileSync("npm", ["pack", `base44@${OFFICIAL_VERSION}`, "--silent"], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  execFileSync("tar", ["xzf", `base44-${OFFICIAL_VERSION}.tgz`], { cwd: folder });
  return unpacked;
}

function deno(path) {
  if (path) return given(path, "--deno");
  const found = onPath("deno");
  if (found) return found;
  installClients();
  const scope = join(clients, "node_modules/@deno");
  const installed = readdirSync(scope).map((platform) => join(scope, platform, "deno")).find(existsSync);
  if (installed) return installed;
  throw new Error("no Deno: put it on PATH, or name it with --deno");
}

function wrk() {
  const found = onPath("wrk");
  if (found) return found;
  throw new Error("no wrk: it makes the HTTP load. Install it: apt install wrk (Debian, Ubuntu), brew install wrk (macOS)");
}

/** The npm packages of tests/clients, installed where that is not done yet. */
export function installClients() {
  if (existsSync(join(clients, "node_modules/socket.io-client")) && existsSync(join(clients, "node_modules/deno"))) return;
  console.error("installing the packages of tests/clients (npm install)");
  execFileSync("npm", ["install", "--silent"], { cwd: clients, stdio: ["ignore", "ignore", "inherit"] });
}

/** A module of those packages. */
export async function clientModule(name) {
  installClients();
  return createRequire(join(clients, "package.json"))(name);
}

/** First line of what a program says about its version. */
export function versionOf(program, argument = "--version") {
  return spawnSync(program, [argument], { encoding: "utf8" }).stdout.split("\n")[0].trim();
}
