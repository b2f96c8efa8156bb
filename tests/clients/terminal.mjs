// The terminal of the server, as a person reads it: TERMINAL_URL answers with all that was printed so far.

import assert from "node:assert/strict";

const CODE = /In order to complete registration use this verification code: (\d{6})$/gm;
const RESET = /In order to reset the password use this token: (\w+)$/gm;

async function printed(pattern) {
  const text = await (await fetch(process.env.TERMINAL_URL)).text();
  return [...text.matchAll(pattern)].map(([, value]) => value);
}

/** What `ask` makes the server print, and nothing that was printed before. */
async function printedBy(pattern, ask) {
  const before = (await printed(pattern)).length;
  await ask();
  const deadline = Date.now() + 60_000;
  for (;;) {
    const values = await printed(pattern);
    if (values.length > before) return values.at(-1);
    assert.ok(Date.now() < deadline, `the terminal shows ${pattern}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The verification code that `ask` is answered with, in the terminal. */
export const codeOf = (ask) => printedBy(CODE, ask);

/** The same, of a password reset. */
export const resetTokenOf = (ask) => printedBy(RESET, ask);

/** How many password resets were offered so far. */
export const resets = async () => (await printed(RESET)).length;
