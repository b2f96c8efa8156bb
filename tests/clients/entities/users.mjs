// The User entity: who sees and changes whom, and that nobody is added or removed through it.

import assert from "node:assert/strict";
import { ADMIN, USER, callers, clients, send } from "./callers.mjs";
import { check, refused } from "./checks.mjs";

const emails = (users) => users.map(({ email }) => email).sort();

async function anonymous(other) {
  const { User } = callers.anonymous;
  const calls = {
    list: () => User.list(), filter: () => User.filter({}), page: () => User.list({}), count: () => User.count(),
    aggregate: () => User.aggregate({}), get: () => User.get(other), update: () => User.update(other, { team: "x" }),
    create: () => User.create({ email: "x@example.com" }), deleteMany: () => User.deleteMany({}),
    updateMany: () => User.updateMany({}, { $set: { team: "x" } }), bulkUpdate: () => User.bulkUpdate([{ id: other }]),
    upsert: () => User.upsert([{ team: "x" }], { key: "team" }), me: () => clients.anonymous.auth.me(),
    updateMe: () => clients.anonymous.auth.updateMe({ team: "x" }),
  };
  for (const [what, call] of Object.entries(calls)) {
    await check(`anonymous ${what} of users`, () => refused(call(), 401));
  }
  await check("anonymous list of users says what to do", () => refused(User.list(), 401, "=Authentication required to list users"));
}

async function user(me, other) {
  const { User } = callers.user;
  await check("a user sees nobody but themselves", async () => {
    assert.deepEqual(await clients.user.auth.me(), me);
    assert.deepEqual(await User.list(), [me]);
    assert.deepEqual(await User.filter({ email: ADMIN }), []);
    assert.deepEqual((await User.list({})).items, [me]);
    assert.deepEqual((await User.list({ distinct: "email" })).items, [USER]);
    assert.equal(await User.count(), 1);
    assert.deepEqual((await User.aggregate({ groupBy: "email" })).rows, [{ email: USER, count: 1 }]);
    assert.deepEqual(await User.get(me.id), me);
    await refused(User.get(other.id), 404, `=Entity User with ID ${other.id} not found`);
  });
  await check("a user changes themselves, and not what is managed", async () => {
    const forged = { email: "x@example.com", full_name: "X", id: "x", is_service: true, disabled: true, role: me.role };
    const after = await User.update(me.id, { team: "red", boards: ["b"], unknown: 1, ...forged });
    assert.deepEqual(after, { ...me, team: "red", boards: ["b"], updated_date: after.updated_date });
    assert.equal((await clients.user.auth.updateMe({ team: "blue" })).team, "blue");
    const role = "=You do not have permission to update user roles.";
    await refused(User.update(me.id, { team: "x", role: "admin" }), 403, role);
    await refused(clients.user.auth.updateMe({ role: "admin" }), 403, role);
    const plan = "=You're not allowed to modify the following fields: data.plan";
    await refused(clients.user.auth.updateMe({ team: "x", plan: "pro" }), 403, plan);
    await refused(clients.user.auth.updateMe({ team: 5 }), 422, "=Error in field team: Input should be a valid string");
    await refused(User.update(other.id, { team: "x" }), 403, "=You are not authorized to update this user");
    await refused(User.bulkUpdate([{ id: me.id, team: "x" }, { id: other.id, team: "x" }]), 403);
    assert.deepEqual((await User.bulkUpdate([{ id: me.id, team: "green" }]))[0].team, "green");
    await refused(User.updateMany({}, { $set: { team: "x", role: "admin" } }), 403, role);
    await refused(User.updateMany({}, { $rename: { role: "team" } }), 403, role);
    assert.deepEqual(await User.updateMany({}, { $set: { team: "red", role: me.role, email: "x" } }), { success: true, updated: 1, has_more: false });
    const { team, role: kept, plan: free } = await User.get(me.id);
    assert.deepEqual([team, kept, free], ["red", me.role, "free"]);
  });
}

async function keys(me) {
  const { User } = callers.user;
  await check("a user finds nobody but themselves by a key", async () => {
    const none = { created: 0, updated: 0, records: [] };
    assert.deepEqual(await User.upsert([{ email: ADMIN, team: "x" }], { key: "email" }), none);
    const own = await User.upsert([{ email: USER, team: "own" }, { email: ADMIN, team: "x" }], { key: "email" });
    assert.deepEqual([own.created, own.updated, own.records.map(({ id, team }) => [id, team])], [0, 1, [[me.id, "own"]]]);
    await refused(User.upsert([{ email: USER, role: "admin" }], { key: "email" }), 403, "role");
    await User.update(me.id, { team: "red" });
  });
}

async function manager(caller, ann, developer) {
  const { User } = callers[caller];
  await check(`${caller} sees and changes everybody`, async () => {
    assert.deepEqual(emails(await User.list()), [USER, ADMIN]);
    assert.equal((await User.filter({ role: "admin" }))[0].email, ADMIN);
    assert.equal((await User.filter({ data: null })).length, 2);
    assert.equal(await User.count({}), 2);
    assert.equal((await User.list("email", 1, 1))[0].email, ADMIN);
    assert.equal((await User.get(ann.id)).email, USER);
    assert.equal((await User.update(ann.id, { role: "editor" })).role, "editor");
    assert.equal((await clients.user.auth.me())._app_role, "editor");
    assert.equal((await User.update(ann.id, { role: ann.role })).role, ann.role);
    assert.deepEqual((await User.bulkUpdate([{ id: ann.id, team: "a" }, { id: developer.id, team: "b" }])).map(({ team }) => team), ["a", "b"]);
    assert.equal((await User.updateMany({}, { $unset: { team: 1 } })).updated, 2);
    assert.equal((await User.updateMany({ email: USER }, { $set: { role: "editor" } })).updated, 1);
    assert.deepEqual((({ role, _app_role: same }) => [role, same])(await User.get(ann.id)), ["editor", "editor"]);
    await refused(User.updateMany({ email: USER }, { $set: { role: 5 } }), 422, "=Error in field role: Input should be a valid string");
    await refused(User.updateMany({ email: USER }, { $unset: { role: 1 } }), 422, "role");
    const synced = [{ email: USER, team: "c", role: ann.role }, { email: "nobody@example.com", team: "c" }];
    const { created, updated, records } = await User.upsert(synced, { key: "email" });
    assert.deepEqual([created, updated, records.map(({ id, team, role }) => [id, team, role])], [0, 1, [[ann.id, "c", ann.role]]]);
    await refused(User.upsert([{ email: USER, team: 5 }], { key: "email" }), 422, "team");
    await refused(User.update("0123456789abcdef01234567", {}), 404);
  });
}

async function nobodyIsAddedOrRemoved(caller, ann) {
  const { User } = callers[caller];
  await check(`${caller} neither adds nor removes users`, async () => {
    const echo = await User.create({ email: "new@example.com", team: "x" });
    assert.deepEqual([echo.email, echo.team, echo.is_sample], ["new@example.com", "x", false]);
    assert.ok(echo.id && echo.created_date && echo.updated_date && echo.created_by);
    assert.deepEqual(await User.bulkCreate([{ email: "new@example.com" }]), {});
    assert.deepEqual(await User.delete(ann.id), {});
    assert.deepEqual(await User.deleteMany({}), { success: true, deleted: 0 });
    assert.equal((await User.upsert([{ team: "none" }], { key: "team" })).created, 0);
    await User.importEntities(new File(['[{"team":"none"}]'], "users.json")).catch((error) => assert.ok(error.status < 500));
    assert.deepEqual(emails(await callers.service.User.list()), [USER, ADMIN]);
  });
}

export async function users() {
  const everybody = await callers.service.User.list();
  const [ann, developer] = [USER, ADMIN].map((address) => everybody.find(({ email }) => email === address));
  await check("a new user has the built-in fields and the schema's defaults", () => {
    const { email, role, plan, is_verified: verified, is_service: service, _app_role: appRole, disabled } = ann;
    assert.deepEqual([email, role, plan, verified, service, appRole, disabled], [USER, "user", "free", true, false, "user", null]);
  });
  await check("anonymous me by path", async () => assert.equal((await send("GET", "User/me")).status, 401));
  await anonymous(developer.id);
  await user(ann, developer);
  await keys(ann);
  await manager("admin", ann, developer);
  await manager("service", ann, developer);
  for (const caller of ["user", "admin", "service"]) {
    await nobodyIsAddedOrRemoved(caller, ann);
  }
}
