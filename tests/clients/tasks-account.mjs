// Accounts in examples/tasks, whose rules are on: sign up with the code from the terminal, in the page and on the server's
// own sign-in page; a nickname; and tasks that are their owner's alone.

import assert from "node:assert/strict";
import { inBrowser } from "./browser.mjs";
import { codeOf } from "./terminal.mjs";

const { PAGE_URL, SERVER_URL } = process.env;
const password = "correct horse";

await inBrowser(async (page) => {
  const at = (id) => page.getByTestId(id);
  const row = (title) => at("task").filter({ hasText: title });
  const fails = (text) => at("error").getByText(text).waitFor();

  async function add(title) {
    await at("new-task").fill(title);
    await at("add-task").click();
  }

  async function fill(email, secret = password) {
    await at("sign-in-email").fill(email);
    await at("sign-in-password").fill(secret);
  }

  await add("Nobody's");
  await fails("Permission denied for create operation on Task entity");

  await fill("ann@example.com", "short");
  await at("sign-up").click();
  await fails("Password must be at least 8 characters long");
  await fill("ann@example.com");
  const code = await codeOf(() => at("sign-up").click());
  await at("code").fill(code === "000000" ? "000001" : "000000");
  await at("confirm").click();
  await fails("Invalid verification code");
  await at("code").fill(code);
  await at("confirm").click();
  await at("signed-in-as").getByText("ann@example.com").waitFor();
  assert.equal(await at("error").count(), 0);

  await at("nickname").fill("Annie");
  await at("nickname").press("Enter");
  await at("signed-in-as").getByText("Annie").waitFor();
  await add("Ann's own");
  await row("Ann's own").waitFor();
  await page.reload();
  await at("signed-in-as").getByText("Annie").waitFor();
  await row("Ann's own").waitFor();
  await at("sign-out").click();
  await at("sign-in").waitFor();
  await page.getByText("Nothing here yet").waitFor();

  // Somebody else, on the server's own page, as `redirectToLogin()` leads there.
  await page.goto(`${SERVER_URL}/login?from_url=${encodeURIComponent(PAGE_URL)}`);
  await page.locator("#register-email").fill("bob@example.com");
  await page.locator("#register-password").fill(password);
  const bobs = await codeOf(() => page.getByRole("button", { name: "Create account" }).click());
  await page.locator("#code").fill(bobs);
  await page.getByRole("button", { name: "Verify" }).click();
  await at("signed-in-as").getByText("bob@example.com").waitFor();
  assert.ok(!page.url().includes("access_token"), page.url());
  await page.getByText("Nothing here yet").waitFor();
  await add("Bob's own");
  await row("Bob's own").waitFor();
  await at("sign-out").click();

  await fill("ann@example.com", "wrong password");
  await at("sign-in").click();
  await fails("Invalid email or password");
  await fill("ann@example.com");
  await at("sign-in").click();
  await row("Ann's own").waitFor();
  assert.equal(await row("Bob's own").count(), 0);
});
