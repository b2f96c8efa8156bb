// Backlot and the official dev server side by side: one command, a table of ratios against the goals. BENCHMARKS.md says how to read it.
//
//   node tests/benches/run.mjs [--only start,lists] [--rounds 5] [--quick]

import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as functions from "./areas/functions.mjs";
import * as lists from "./areas/lists.mjs";
import * as memory from "./areas/memory.mjs";
import * as realtime from "./areas/realtime.mjs";
import * as records from "./areas/records.mjs";
import * as reload from "./areas/reload.mjs";
import * as start from "./areas/start.mjs";
import { endAll, endOnSignals, temporaryFolder } from "./processes.mjs";
import { Figures, markdown, rowsOf, table, updated } from "./report.mjs";
import { standIn } from "./servers.mjs";
import { findTools, OFFICIAL_VERSION, versionOf } from "./tools.mjs";

const AREAS = Object.entries({ start, records, lists, memory, functions, reload, realtime }).map(([name, area]) => ({ name, ...area }));
const DOCUMENT = join(import.meta.dirname, "../../BENCHMARKS.md");

const USAGE = `Usage: node tests/benches/run.mjs [OPTIONS]

  --only AREA,…      ${AREAS.map(({ name }) => name).join(", ")} [default: all]
  --rounds N         Interleaved rounds; their medians are shown [default: 5, --quick 1]
  --seconds N        How long each throughput is measured [default: 3, --quick 1]
  --quick            A short run, to see that everything works
  --json FILE        Write every value that was measured
  --markdown         Print Markdown instead of text
  --update           Replace the tables of BENCHMARKS.md, those of the areas that ran
  --backlot PATH     The binary [default: built with cargo build --release]
  --official DIR     The unpacked package base44@${OFFICIAL_VERSION} [default: fetched with npm pack]
  --official-runtime deno|workerd
                     What it runs functions in; workerd needs --official to name an installed package [default: deno]
  --deno PATH        [default: the one on PATH, else that of tests/clients]
`;

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string" },
    seconds: { type: "string" },
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    markdown: { type: "boolean", default: false },
    update: { type: "boolean", default: false },
    backlot: { type: "string" },
    official: { type: "string" },
    "official-runtime": { type: "string", default: "deno" },
    deno: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});

function chosenAreas() {
  const names = options.only?.split(",") ?? AREAS.map(({ name }) => name);
  const unknown = names.filter((name) => !AREAS.some((area) => area.name === name));
  if (unknown.length) throw new Error(`no area ${unknown.join(", ")}; there are ${AREAS.map(({ name }) => name).join(", ")}`);
  return AREAS.filter(({ name }) => names.includes(name));
}

function positive(name, otherwise) {
  const value = Number(options[name] ?? otherwise);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number from 1`);
  return value;
}

/** What the areas are given: tools, settings, and where results go. */
async function makeBench(areas) {
  const figures = new Figures();
  return {
    figures,
    /** What the first second of each measurement came to. */
    warm: new Map(),
    quick: options.quick,
    officialRuntime: options["official-runtime"],
    rounds: positive("rounds", options.quick ? 1 : 5),
    seconds: positive("seconds", options.quick ? 1 : 3),
    tools: findTools(options, areas),
    platform: await standIn(),
    denoFolder: temporaryFolder(),
    record: (metric, side, value, failures) => figures.add(`${metric}/${side}`, value, failures),
  };
}

function describe(bench) {
  const { tools, rounds, seconds } = bench;
  return {
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    backlot: versionOf(tools.backlot),
    official: OFFICIAL_VERSION,
    officialRuntime: bench.officialRuntime,
    deno: versionOf(tools.deno).split(" (")[0],
    node: process.version,
    rounds,
    seconds,
  };
}

function show(areas, bench) {
  const rows = areas.flatMap((area) => rowsOf(area, bench.figures));
  const setting = describe(bench);
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ setting, rows, values: Object.fromEntries(bench.figures.values) }, null, 2)}\n`);
  if (options.update) writeFileSync(DOCUMENT, updated(readFileSync(DOCUMENT, "utf8"), areas, bench.figures));
  const head = `Backlot against base44 ${OFFICIAL_VERSION}: ${setting.cores} cores, ${setting.deno}, Node ${setting.node}, medians of ${bench.rounds} rounds`;
  console.log(options.markdown ? `${head}\n\n${markdown(rows)}` : `${head}\n\n${table(rows)}`);
}

async function main() {
  if (options.help) return console.log(USAGE);
  const areas = chosenAreas();
  const bench = await makeBench(areas);
  const measured = [];
  for (const area of areas) {
    bench.say = (text) => console.error(`${area.name.padEnd(10)} ${text}`);
    try {
      await area.run(bench);
    } catch (error) {
      // One area's failure is no reason to lose the others' results.
      console.error(`${area.name.padEnd(10)} failed: ${error.message}`);
      process.exitCode = 1;
      continue;
    }
    measured.push(area);
  }
  if (measured.length) show(measured, bench);
}

endOnSignals();
try {
  await main();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 2;
} finally {
  await endAll();
}
