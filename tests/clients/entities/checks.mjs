// Checks that go on after a failure, so that one run tells all that is wrong.

import assert from "node:assert/strict";

let done = 0;
const failures = [];

/** Runs one case and notes how it went. */
export async function check(what, run) {
  done += 1;
  try {
    await run();
  } catch (error) {
    const place = error.stack?.split("\n").find((line) => line.includes("/entities/") && line.includes("at "));
    failures.push(`${what}: ${error.message}${error.code === "ERR_ASSERTION" ? "" : ` ${place?.trim()}`}`);
  }
}

/** The error of a call that must fail with this status; `part` is in its message, or is the whole of it after "=". */
export async function refused(promise, status, part = "") {
  const error = await promise.then(
    (value) => assert.fail(`${status} was due, but it worked: ${JSON.stringify(value)}`),
    (error) => error,
  );
  assert.equal(error.status, status, `${status} was due: ${error.status} ${error.message}`);
  if (part.startsWith("=")) {
    assert.equal(error.message, part.slice(1));
  } else {
    assert.ok(error.message.includes(part), `"${part}" is missing: ${error.message}`);
  }
  return error;
}

/** Ends the run: says "ok", or everything that went wrong. */
export function finish() {
  failures.forEach((failure) => console.error(`- ${failure}`));
  console.log(failures.length === 0 ? `${done} checks ok` : `${failures.length} of ${done} checks failed`);
  // A connection that is kept open must not keep the process.
  process.exit(failures.length === 0 ? 0 : 1);
}
