// `base44.auth` of the official SDK, every method, with codes read from the terminal. Ends with "ok" or with the first thing
// that is wrong.

import assert from "node:assert/strict";
import { createClient } from "@base44/sdk";
import { codeOf, resetTokenOf, resets } from "./terminal.mjs";

const { SERVER_URL, APP_ID, EMAIL } = process.env;

function client() {
  const options = { serverUrl: SERVER_URL, appBaseUrl: SERVER_URL, appId: APP_ID };
  return createClient({ ...options, requiresAuth: false, analytics: { enabled: false } });
}

async function refused(promise, status, message) {
  const error = await promise.then(
    (value) => assert.fail(`it worked: ${JSON.stringify(value)}`),
    (error) => error,
  );
  assert.deepEqual([error.status, error.message], [status, message]);
}

const other = (code) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");

async function registration() {
  const { auth } = client();
  const ann = { email: "Ann@Example.com", password: "correct horse" };
  await refused(auth.register({ ...ann, password: "short" }), 400, "Password must be at least 8 characters long");
  await refused(auth.register({ ...ann, email: "nobody" }), 400, "Please enter a valid email address");
  await refused(auth.register({ ...ann, email: EMAIL }), 400, "A user with this email already exists");
  await refused(auth.register({ ...ann, email: "server@server.com" }), 400, "A user with this email already exists");

  let answer;
  const first = await codeOf(async () => {
    answer = await auth.register(ann);
  });
  const sentence = "Registration successful. Please check your email for the verification code.";
  assert.deepEqual([answer.message, answer.otp_expires_in_minutes], [sentence, 10]);
  assert.ok(answer.id);
  await refused(auth.loginViaEmailPassword(ann.email, ann.password), 401, "Unauthorized");

  const code = await codeOf(() => auth.resendOtp(ann.email));
  if (code !== first) {
    await refused(auth.verifyOtp({ email: ann.email, otpCode: first }), 400, "Invalid verification code");
  }
  await refused(auth.verifyOtp({ email: ann.email, otpCode: other(code) }), 400, "Invalid verification code");
  const verified = await auth.verifyOtp({ email: ann.email, otpCode: code });
  assert.equal(verified.success, true);
  await refused(auth.verifyOtp({ email: ann.email, otpCode: code }), 400, "Invalid verification code");

  assert.equal(await auth.isAuthenticated(), false);
  auth.setToken(verified.access_token);
  assert.equal(await auth.isAuthenticated(), true);
  const me = await auth.me();
  assert.deepEqual([me.id, me.email, me.role, me.full_name], [verified.id, "ann@example.com", "user", "ann"]);
}

/** Five wrong tries end a code; the right one comes too late then, and a new one works. */
async function guessing() {
  const { auth } = client();
  const guess = { email: "guess@example.com", password: "correct horse" };
  const code = await codeOf(() => auth.register(guess));
  for (let tries = 0; tries < 5; tries += 1) {
    await refused(auth.verifyOtp({ email: guess.email, otpCode: other(code) }), 400, "Invalid verification code");
  }
  await refused(auth.verifyOtp({ email: guess.email, otpCode: code }), 429, "Too many wrong codes. Ask for a new one.");
  const fresh = await codeOf(() => auth.resendOtp(guess.email));
  assert.ok((await auth.verifyOtp({ email: guess.email, otpCode: fresh })).access_token);
}

async function ownRecord() {
  const { auth, entities } = client();
  await refused(auth.me(), 401, "Authentication required to view users");
  await refused(auth.updateMe({ nickname: "x" }), 401, "Unauthorized");
  const { access_token, user } = await auth.loginViaEmailPassword(" ann@example.com ", "correct horse");
  assert.ok(access_token);
  assert.equal(user.email, "ann@example.com");

  const changed = await auth.updateMe({ nickname: "Annie", email: "x@example.com", full_name: "X" });
  assert.deepEqual([changed.nickname, changed.email, changed.full_name], ["Annie", "ann@example.com", "ann"]);
  assert.equal((await auth.me()).nickname, "Annie");
  await refused(auth.updateMe({ role: "admin" }), 403, "You do not have permission to update user roles.");
  await refused(auth.updateMe({ nickname: 5 }), 422, "Error in field nickname: Input should be a valid string");
  assert.equal((await auth.me()).role, "user");
  assert.deepEqual((await entities.User.list()).map(({ email }) => email), ["ann@example.com"]);

  auth.logout();
  assert.equal(await auth.isAuthenticated(), false);
}

async function passwords() {
  const { auth } = client();
  const login = (password) => auth.loginViaEmailPassword("ann@example.com", password);
  await refused(login("wrong"), 400, "Invalid email or password");
  const { user } = await login("correct horse");
  const change = (fields) =>
    auth.changePassword({ userId: user.id, currentPassword: "correct horse", newPassword: "battery staple", ...fields });
  await refused(change({ currentPassword: "wrong" }), 401, "The current password is wrong");
  await refused(change({ newPassword: "short" }), 422, "Password must be at least 8 characters long");
  await change({});
  await refused(login("correct horse"), 400, "Invalid email or password");
  await login("battery staple");

  const before = await resets();
  const unknown = await auth.resetPasswordRequest("nobody@example.com");
  const resetToken = await resetTokenOf(async () => {
    assert.deepEqual(await auth.resetPasswordRequest("ann@example.com"), unknown);
  });
  assert.equal(await resets(), before + 1);
  const reset = { resetToken, newPassword: "third password" };
  await refused(auth.resetPassword({ ...reset, resetToken: "guessed" }), 400, "Invalid or expired reset token");
  await auth.resetPassword(reset);
  await refused(auth.resetPassword(reset), 400, "Invalid or expired reset token");
  await login("third password");
}

async function invitation() {
  const { auth } = client();
  await auth.loginViaEmailPassword("ann@example.com", "third password");
  await refused(auth.inviteUser("bea@example.com", "admin"), 403, "You are not authorized to invite users");
  await auth.loginViaEmailPassword(EMAIL, "any password");
  assert.deepEqual(await auth.inviteUser("bea@example.com", "admin"), { success: true });
  const bea = { email: "bea@example.com", password: "correct horse" };
  const otpCode = await codeOf(() => auth.register(bea));
  await auth.verifyOtp({ email: bea.email, otpCode });
  assert.equal((await auth.loginViaEmailPassword(bea.email, bea.password)).user.role, "admin");
}

/** What the SDK does in a browser only, with as much of one as it looks at. */
async function navigation() {
  const { auth } = client();
  const stored = new Map();
  const page = "http://localhost:5173/tasks?a=1";
  globalThis.window = {
    location: { href: page, origin: "http://localhost:5173" },
    localStorage: {
      getItem: (key) => stored.get(key) ?? null,
      setItem: (key, value) => stored.set(key, value),
      removeItem: (key) => stored.delete(key),
    },
  };
  window.parent = window;
  const went = async () => fetch(window.location.href, { redirect: "manual" });
  try {
    const { access_token } = await auth.loginViaEmailPassword(EMAIL, "any password");
    assert.equal(stored.get("base44_access_token"), access_token);

    auth.redirectToLogin();
    assert.equal(window.location.href, `${SERVER_URL}/login?from_url=${encodeURIComponent(page)}`);
    const login = await went();
    assert.equal(login.status, 200);
    assert.ok((await login.text()).includes(`data-return="${page}"`));
    auth.redirectToLogin("https://evil.example/");
    assert.ok(!(await (await went()).text()).includes("evil.example"));

    window.location.href = page;
    auth.logout();
    assert.equal(stored.size, 0);
    const logout = await went();
    assert.deepEqual([logout.status, logout.headers.get("location")], [302, page]);

    auth.loginWithProvider("google", "/tasks");
    const provider = await went();
    assert.equal(provider.status, 502);
    assert.match((await provider.json()).message, /not linked/);
  } finally {
    delete globalThis.window;
  }
}

for (const part of [registration, guessing, ownRecord, passwords, invitation, navigation]) {
  await part();
}
console.log("ok");
// A connection that is kept open must not keep the process.
process.exit(0);
