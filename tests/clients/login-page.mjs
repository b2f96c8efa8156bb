// The server's sign-in page without a mouse, and in a browser whose JavaScript is off.

import assert from "node:assert/strict";
import { inBrowser } from "./browser.mjs";
import { codeOf } from "./terminal.mjs";

const { SERVER_URL } = process.env;
const password = "correct horse";
const back = `${SERVER_URL}/media/back`;
const login = `${SERVER_URL}/login?from_url=${encodeURIComponent(back)}`;

await inBrowser(async (page) => {
  const { keyboard } = page;
  const focus = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim());
  const press = async (key, times = 1) => {
    for (let time = 0; time < times; time += 1) await keyboard.press(key);
  };
  const says = (text) => page.getByRole("status").getByText(text).waitFor();
  /** Whose token the page that was gone back to has been given. */
  const signedIn = async () => {
    await page.waitForURL((url) => url.href.startsWith(back));
    const token = new URL(page.url()).searchParams.get("access_token");
    const answer = await fetch(`${SERVER_URL}/api/apps/local/entities/User/me`, { headers: { authorization: `Bearer ${token}` } });
    return (await answer.json()).email;
  };

  // Every stop of the keyboard, in the order of the page, with nothing that only a mouse could reach.
  await page.goto(login);
  const stops = [];
  for (let stop = 0; stop < 7; stop += 1) {
    await press("Tab");
    stops.push(await focus());
  }
  assert.deepEqual(stops, [
    "Continue as developer@example.com",
    "login-email",
    "login-password",
    "Sign in",
    "register-email",
    "register-password",
    "Create account",
  ]);

  await page.goto(login);
  await press("Tab");
  await press("Space");
  assert.equal(await signedIn(), "developer@example.com");

  // A new account: the code's field has the focus when it is time for it, and a new code is a stop further.
  await page.goto(login);
  await press("Tab", 5);
  await keyboard.type("keys@example.com");
  await press("Tab");
  await keyboard.type(password);
  const first = await codeOf(() => press("Enter"));
  await says("The verification code is in the terminal");
  assert.equal(await focus(), "code");
  await keyboard.type(first === "000000" ? "000001" : "000000");
  await press("Enter");
  await says("Invalid verification code");
  await page.locator("#code").focus();
  await press("Tab", 2);
  assert.equal(await focus(), "resend");
  const second = await codeOf(() => press("Enter"));
  await says("A new code is in the terminal.");
  await press("Shift+Tab", 2);
  await press("Control+A");
  await keyboard.type(second);
  await press("Enter");
  assert.equal(await signedIn(), "keys@example.com");

  // What goes wrong is said to those who hear the page as well.
  for (const [email, secret, said] of [
    ["nobody@example.com", password, "There is no account with this e-mail."],
    ["keys@example.com", "wrong password", "Invalid email or password"],
  ]) {
    await page.goto(login);
    await press("Tab", 2);
    await keyboard.type(email);
    await press("Tab");
    await keyboard.type(secret);
    await press("Enter");
    await says(said);
  }
  await press("Control+A");
  await keyboard.type(password);
  await press("Enter");
  assert.equal(await signedIn(), "keys@example.com");

  // Without JavaScript the page says so, and shows nothing that would do nothing.
  const context = await page.context().browser().newContext({ javaScriptEnabled: false });
  const plain = await context.newPage();
  await plain.goto(login);
  const note = plain.locator("noscript p");
  assert.ok(await note.isVisible());
  assert.match(await note.textContent(), /^Signing in needs JavaScript/);
  assert.ok(await plain.getByRole("heading", { name: "Sign in to" }).isVisible());
  for (const role of ["textbox", "button"]) assert.equal(await plain.getByRole(role).count(), 0, role);
  await context.close();
});
