// Field rules: what may not be read is missing everywhere, and a write of what may not be written is refused whole.

import assert from "node:assert/strict";
import { callers } from "./callers.mjs";
import { check, refused } from "./checks.mjs";

const RECORD = { name: "Bo", salary: 100, grade: "gold", badge: "b1", profile: { bio: "hi", tier: "pro" } };
const set = (...fields) => `=You're not allowed to set the following fields: ${fields.map((field) => `data.${field}`).join(", ")}`;
const modify = (...fields) => set(...fields).replace("allowed to set", "allowed to modify");

const hidden = (record) => assert.ok(!("salary" in record), JSON.stringify(record));

async function masked(caller, { id }) {
  const { Staff } = callers[caller];
  await check(`${caller} does not see a hidden field`, async () => {
    hidden(await Staff.get(id));
    hidden((await Staff.list())[0]);
    hidden((await Staff.list({ fields: ["name", "salary"] })).items[0]);
    hidden(await Staff.update(id, { name: "Bo" }));
    assert.deepEqual(await Staff.filter({ salary: 100 }), []);
    assert.equal(await Staff.count({ salary: { $gt: 0 } }), 0);
    assert.equal(await Staff.count({ salary: null }), 1);
    assert.equal(await Staff.count({ $nor: [{ salary: 100 }] }), 1);
    assert.deepEqual((await Staff.list({ distinct: "salary" })).items, []);
    const { rows } = await Staff.aggregate({ groupBy: "salary", sum: "salary", max: "salary" });
    assert.deepEqual(rows, [{ salary: null, count: 1, sum_salary: 0, max_salary: null }]);
  });
  await check(`${caller} cannot write guarded fields`, async () => {
    await refused(Staff.create({ name: "x", salary: 1 }), 403, set("salary"));
    await refused(Staff.create({ name: "x", profile: { tier: "pro" }, salary: 1, grade: "x" }), 403, set("salary", "grade", "profile.tier"));
    await refused(Staff.bulkCreate([{ name: "x" }, { name: "x", grade: "x" }]), 403, set("grade"));
    await refused(Staff.upsert([{ name: "Bo", grade: "x" }], { key: "name" }), 403, modify("grade"));
    await refused(Staff.update(id, { name: "y", grade: "x", badge: "b2" }), 403, modify("grade", "badge"));
    await refused(Staff.update(id, { profile: { bio: "hi", tier: "free" } }), 403, modify("profile.tier"));
    await refused(Staff.bulkUpdate([{ id, badge: "b2" }]), 403, modify("badge"));
    await refused(Staff.updateMany({ id }, { $set: { badge: "b2" } }), 403, modify("badge"));
    await refused(Staff.updateMany({ id }, { $unset: { grade: 1 } }), 403, modify("grade"));
    await refused(Staff.updateMany({ id }, { $rename: { grade: "badge" } }), 403, modify("grade", "badge"));
    // What is moved to a visible field would be read there.
    await refused(Staff.updateMany({ id }, { $rename: { salary: "name" } }), 403, modify("salary"));
    const { status, details } = await Staff.importEntities(new File(["name,grade\nx,y\n"], "staff.csv"));
    assert.deepEqual([status, details.includes("data.grade")], ["error", true], details);
    const stored = await callers.service.Staff.list();
    assert.deepEqual(stored.map(({ name, grade, badge }) => [name, grade, badge]), [["Bo", "gold", "b1"]]);
  });
  await check(`${caller} may repeat what is stored, and gets defaults`, async () => {
    await Staff.update(id, { grade: "gold", badge: "b1", profile: { bio: "hello", tier: "pro" } });
    await Staff.update(id, { profile: RECORD.profile });
    const made = await Staff.create({ name: "Cy", badge: "c1" });
    assert.deepEqual([made.grade, made.badge], ["new", "c1"]);
    await callers.service.Staff.delete(made.id);
  });
}

export async function fields() {
  const { admin, service } = callers;
  const record = await service.Staff.create(RECORD);
  await check("the service role writes and reads every field", async () => {
    const { name, salary, grade, badge, profile } = record;
    assert.deepEqual({ name, salary, grade, badge, profile }, RECORD);
    await service.Staff.update(record.id, { grade: "gold" });
  });
  await masked("anonymous", record);
  await masked("user", record);
  await check("the admin sees and writes what the rules say", async () => {
    assert.equal((await admin.Staff.get(record.id)).salary, 100);
    assert.equal((await admin.Staff.filter({ salary: { $gte: 100 } })).length, 1);
    assert.equal((await admin.Staff.update(record.id, { salary: 200, profile: { bio: "hi", tier: "max" } })).salary, 200);
    await refused(admin.Staff.update(record.id, { grade: "x" }), 403, modify("grade"));
  });
}
