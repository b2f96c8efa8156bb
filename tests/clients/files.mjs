// Uploads through the official SDK: public and private files, and addresses that are signed. Ends with "ok" or with the
// first thing that is wrong.

import assert from "node:assert/strict";
import { createClient } from "@base44/sdk";

const { SERVER_URL, APP_ID } = process.env;
const { integrations } = createClient({
  serverUrl: SERVER_URL,
  appId: APP_ID,
  requiresAuth: false,
  analytics: { enabled: false },
});
const { UploadFile, UploadPrivateFile, CreateFileSignedUrl } = integrations.Core;

const text = "a,b\n1,2\n";
const file = new File([text], "täble.csv", { type: "text/csv" });

const { file_url } = await UploadFile({ file });
assert.ok(file_url.startsWith(`${SERVER_URL}/media/`) && file_url.endsWith(".csv"), file_url);
const fetched = await fetch(file_url);
assert.deepEqual([fetched.status, await fetched.text()], [200, text]);
assert.equal(fetched.headers.get("content-type"), "text/csv; charset=utf-8");

const { file_uri } = await UploadPrivateFile({ file });
for (const path of [`media/${file_uri}`, `media/private/${file_uri}`]) {
  const answer = await fetch(`${SERVER_URL}/${path}`);
  assert.ok([401, 404].includes(answer.status), `${path}: ${answer.status}`);
}
const { signed_url } = await CreateFileSignedUrl({ file_uri });
assert.equal(await (await fetch(signed_url)).text(), text);

const { signed_url: brief } = await CreateFileSignedUrl({ file_uri, expires_in: 1 });
const deadline = Date.now() + 60_000;
let answer = await fetch(brief);
while (answer.status === 200) {
  assert.ok(Date.now() < deadline, "a signed address ends when it says");
  await new Promise((resolve) => setTimeout(resolve, 100));
  answer = await fetch(brief);
}
assert.deepEqual([answer.status, (await answer.json()).error_type], [400, "InvalidJWT"]);

console.log("ok");
// A connection that is kept open must not keep the process.
process.exit(0);
