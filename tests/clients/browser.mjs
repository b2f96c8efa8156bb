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
 * Opens PAGE_URL, if there is one, in a fresh browser and gives the page to `drive`. Errors of the page itself are failures as well,
 * except the browser's own notes on answers such as 401.
 */
export async function inBrowser(drive, flags = []) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, headless: true, args: [...QUIET, ...flags] });
  const errors = [];
  try {
    const context = await browser.newContext({ viewport: { width: 820, height: 760 } });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => console.error(`page says (${message.type()}): ${message.text()}`));
    page.on("requestfailed", (request) => console.error(`no answer: ${request.method()} ${request.url()}`));
    if (process.env.PAGE_URL) await page.goto(process.env.PAGE_URL);
    await drive(page);
  } finally {
    await browser.close();
  }
  if (errors.length > 0) throw new Error(`the page failed: ${errors.join("; ")}`);
  console.log("ok");
}
