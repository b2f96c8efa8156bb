import { secrets, waitUntil } from "base44:runtime";

Deno.serve(async (request) => {
  const { to } = await request.json();
  waitUntil(Promise.resolve().then(() => console.log(`sent to ${to}`)));
  return Response.json({ to, key: secrets.get("MAIL_KEY"), none: secrets.get("NO_SUCH_KEY") ?? null });
});
