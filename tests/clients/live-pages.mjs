// Two pages of examples/tasks under the backend's own address: a change in one shows in the other, an edit of a component
// shows without a reload, and an edit of the entity empties both lists.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inBrowser } from "./browser.mjs";

const { PAGE_URL, PROJECT } = process.env;

async function edit(file, from, to) {
  const path = join(PROJECT, file);
  const text = await readFile(path, "utf8");
  assert.ok(text.includes(from), `${file} is not as it was`);
  await writeFile(path, text.replace(from, to));
}

await inBrowser(async (left) => {
  const right = await left.context().newPage();
  await right.goto(PAGE_URL);
  const pages = [left, right];
  const row = (page, title) => page.getByTestId("task").filter({ hasText: title });
  for (const page of pages) {
    await page.getByText("Nothing here yet").waitFor();
    // Gone after a reload.
    await page.evaluate(() => (window.stillHere = true));
  }

  async function add(page, title) {
    await page.getByTestId("new-task").fill(title);
    await page.getByTestId("add-task").click();
  }
  await add(left, "From the left");
  await row(right, "From the left").waitFor();
  await row(right, "From the left").getByTestId("task-toggle").check();
  await left.getByTestId("filter-done").click();
  await row(left, "From the left").waitFor();
  await left.getByTestId("filter-all").click();
  await add(right, "From the right");
  await row(left, "From the right").waitFor();
  await row(left, "From the right").getByTestId("task-delete").click();
  await row(right, "From the right").waitFor({ state: "detached" });

  await left.getByTestId("new-task").fill("Half typed");
  await edit("src/App.jsx", "<h1>Tasks</h1>", "<h1>Chores</h1>");
  for (const page of pages) await page.getByRole("heading", { name: "Chores" }).waitFor();
  assert.equal(await left.getByTestId("new-task").inputValue(), "Half typed");

  await edit("base44/entities/task.jsonc", '"done": {', '"notes": { "type": "string" },\n    "done": {');
  for (const page of pages) {
    await row(page, "From the left").waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => window.stillHere), true);
  }
  await add(left, "After the edit");
  await row(right, "After the edit").waitFor();
});
