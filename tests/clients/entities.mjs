// Every method of `base44.entities` through the official SDK, as anonymous, user, admin and service role.

import { finish } from "./entities/checks.mjs";
import { fields } from "./entities/fields.mjs";
import { reads } from "./entities/reads.mjs";
import { rules } from "./entities/rules.mjs";
import { updates } from "./entities/updates.mjs";
import { users } from "./entities/users.mjs";
import { writes } from "./entities/writes.mjs";

for (const part of [users, reads, writes, updates, fields, rules]) {
  await part();
}
finish();
