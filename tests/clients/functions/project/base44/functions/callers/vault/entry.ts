import { createClientFromRequest, outcome } from "../../../shared/client.ts";

Deno.serve(async (request) => {
  const base44 = createClientFromRequest(request);
  const { secret } = await request.json();
  const asCaller = await outcome(base44.entities.Vault.create({ secret }));
  const record = await base44.asServiceRole.entities.Vault.create({ secret });
  const all = await base44.asServiceRole.entities.Vault.list();
  const seen = await base44.entities.Vault.list();
  return Response.json({ asCaller, record, stored: all.length, seen: seen.length });
});
