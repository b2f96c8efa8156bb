// Calls another function, once as its caller and once as the service.
import { createClientFromRequest } from "../../../shared/client.ts";

Deno.serve(async (request) => {
  const base44 = createClientFromRequest(request);
  const asCaller = await base44.functions.invoke("callers/whoami", {});
  const asService = await base44.asServiceRole.functions.invoke("callers/whoami", {});
  return Response.json({ asCaller: asCaller.data, asService: asService.data });
});
