// A page in Chromium, with everything off that would reach for the network.

import { chromium } from "playwright-core";

const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Opens PAGE_URL, if there is one, in a fresh browser and gives the page to `drive`, which may open others beside it. Errors of the page itself are failures as well,
 * except the browser's own notes on answers such as 401.
 */
export async function inBrowser(drive, flags = []) {
  // The browser's socket is in its folder for temporary files, and the path of a socket has a limit.
  const env = { ...process.env, TMPDIR: "/tmp" };
  const options = { executablePath: process.env.CHROMIUM, headless: true, env };
  const browser = await chromium.launch({ ...options, args: [...QUIET, ...flags] });
  const errors = [];
  try {
    const context = await browser.newContext({ viewport: { width: 820, height: 760 } });
    context.setDefaultTimeout(180_000);
    context.on("weberror", (error) => errors.push(error.error().message));
    context.on("console", (message) => console.error(`page says (${message.type()}): ${message.text()}`));
    context.on("requestfailed", (request) => console.error(`no answer: ${request.method()} ${request.url()}`));
    const page = await context.newPage();
    if (process.env.PAGE_URL) await page.goto(process.env.PAGE_URL);
    await drive(page);
  } finally {
    await browser.close();
  }
  if (errors.length > 0) throw new Error(`the page failed: ${errors.join("; ")}`);
  console.log("ok");
}
