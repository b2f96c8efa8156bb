// The page of examples/tasks: add, tick, delete, call both functions, sign in and out.

import assert from "node:assert/strict";
import { inBrowser } from "./browser.mjs";

const { EMAIL } = process.env;

await inBrowser(async (page) => {
  const at = (id) => page.getByTestId(id);
  const row = (title) => at("task").filter({ hasText: title });
  const titles = () => page.locator(".what").allTextContents();

  await page.getByText("Nothing here yet").waitFor();
  for (const title of ["Buy bread", "Write the report", "Call Ada"]) {
    await at("new-task").fill(title);
    await at("add-task").click();
    await row(title).waitFor();
  }
  assert.deepEqual(await titles(), ["Call Ada", "Write the report", "Buy bread"]);

  await row("Buy bread").getByTestId("task-toggle").check();
  await at("filter-done").click();
  assert.deepEqual(await titles(), ["Buy bread"]);
  await at("filter-all").click();
  await row("Call Ada").getByTestId("task-delete").click();
  await row("Call Ada").waitFor({ state: "detached" });

  await at("summary-button").click();
  await page.getByText("2 tasks: 1 open, 1 done.").waitFor();
  await at("tidy-button").click();
  await page.getByText("Removed 1 task. 1 task: 1 open, 0 done.").waitFor();
  await row("Buy bread").waitFor({ state: "detached" });

  await at("sign-in-email").fill(EMAIL);
  await at("sign-in-password").fill("any password");
  await at("sign-in").click();
  await at("signed-in-as").getByText(EMAIL).waitFor();
  await page.reload();
  await at("signed-in-as").getByText(EMAIL).waitFor();
  // What was stored is still there for the next visit.
  await row("Write the report").waitFor();
  await at("sign-out").click();
  await at("sign-in").waitFor();
  assert.equal(await at("error").count(), 0);
});
