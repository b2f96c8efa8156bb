// The page of the official tool's template: list, add, tick, delete.

import assert from "node:assert/strict";
import { inBrowser } from "./browser.mjs";

await inBrowser(async (page) => {
  const row = (title) => page.locator("div.group").filter({ hasText: title });

  await page.getByText("No tasks yet").waitFor();
  for (const title of ["Buy bread", "Call Ada"]) {
    await page.getByPlaceholder("What needs to be done?").fill(title);
    await page.locator("form button[type=submit]").click();
    await row(title).waitFor();
  }
  await page.getByText("0 of 2 completed").waitFor();

  await row("Buy bread").getByRole("checkbox").click();
  await page.getByText("1 of 2 completed").waitFor();
  await page.reload();
  await page.getByText("1 of 2 completed").waitFor();
  assert.equal(await page.locator("span.line-through").textContent(), "Buy bread");

  await row("Call Ada").hover();
  await row("Call Ada").getByRole("button").click();
  await row("Call Ada").waitFor({ state: "detached" });
  await page.getByText("Clear completed").click();
  await page.getByText("No tasks yet").waitFor();
});
