// What was measured, as medians and ratios against the goals: for a terminal, for BENCHMARKS.md, for a program.

const NAMES = { backlot: "Backlot", official: "official", deno: "bare Deno", node: "bare Node", gateway: "the gateway" };

/** Values by `metric/side`, each with the failures seen while it was measured. */
export class Figures {
  values = new Map();

  add(key, value, failures = 0) {
    const entry = this.values.get(key) ?? { values: [], failures: 0 };
    entry.values.push(value);
    entry.failures += failures;
    this.values.set(key, entry);
  }

  get(key) {
    const entry = this.values.get(key);
    return entry && { median: median(entry.values), ...entry };
  }
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** One row of the result for each line of an area that was measured on both sides. */
export function rowsOf(area, figures) {
  return area.lines.flatMap((line) => {
    const ours = figures.get(line.ours ?? `${line.metric}/backlot`);
    const theirs = figures.get(line.theirs ?? `${line.metric}/official`);
    if (!ours || !theirs) return [];
    const ratio = theirs.median === 0 ? undefined : ours.median / theirs.median;
    const against = line.against ?? NAMES.official;
    return [{ area: area.name, label: line.label, unit: line.unit, against, ours, theirs, ratio, goal: line.goal, met: isMet(line.goal, ours, ratio) }];
  });
}

function isMet(goal, ours, ratio) {
  if (!goal) return undefined;
  if (ours.failures > 0) return false;
  if (goal.oursAtMost !== undefined) return Math.max(...ours.values) <= goal.oursAtMost;
  return ratio !== undefined && (goal.atLeast === undefined ? ratio <= goal.atMost : ratio >= goal.atLeast);
}

function number(value) {
  if (value === undefined) return "";
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value === 0 ? 0 : 2;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Three digits that count, so that a ratio is seen to be on one side of its goal. */
function ratioText(ratio) {
  if (ratio === undefined) return "";
  return ratio >= 100 ? number(ratio) : String(Number(ratio.toPrecision(3)));
}

function goalText({ goal, unit }) {
  if (!goal) return "";
  if (goal.oursAtMost !== undefined) return `≤ ${goal.oursAtMost}${unit && ` ${unit}`}`;
  return goal.atLeast === undefined ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`;
}

const verdict = (met) => ({ true: "yes", false: "no" })[met] ?? "";
const figure = ({ median: value, failures }, unit) => `${number(value)}${unit && (unit === "/s" ? unit : ` ${unit}`)}${failures ? ` (${failures} failed)` : ""}`;

const HEADINGS = ["", "Backlot", "against", "", "ratio", "goal", "met"];
const cells = (row) => [
  row.label,
  figure(row.ours, row.unit),
  row.against,
  figure(row.theirs, row.unit),
  ratioText(row.ratio),
  goalText(row),
  verdict(row.met),
];

/** Columns of text; numbers stand at the right. */
export function table(rows) {
  const lines = [HEADINGS, ...rows.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const isNumber = (column) => [1, 3, 4, 5].includes(column);
  return lines
    .map((line) => line.map((cell, column) => (isNumber(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join("  ").trimEnd())
    .join("\n");
}

export function markdown(rows) {
  const lines = [["what", "Backlot", "against", "its figure", "ratio", "goal", "met"], ["---", "---:", "---", "---:", "---:", "---:", "---"], ...rows.map(cells)];
  return lines.map((line) => `| ${line.join(" | ")} |`).join("\n");
}

/** The document with the block of each measured area replaced. */
export function updated(document, areas, figures) {
  return areas.reduce((text, area) => {
    const [from, to] = [`<!-- figures: ${area.name} -->`, "<!-- end -->"];
    const start = text.indexOf(from);
    const end = text.indexOf(to, start);
    if (start < 0 || end < 0) throw new Error(`the document has no block "${from}"`);
    return `${text.slice(0, start + from.length)}\n\n${markdown(rowsOf(area, figures))}\n\n${text.slice(end)}`;
  }, document);
}
