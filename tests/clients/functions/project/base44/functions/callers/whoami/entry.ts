import { createClientFromRequest, outcome } from "../../../shared/client.ts";

Deno.serve(async (request) => {
  const base44 = createClientFromRequest(request);
  const me = await outcome(base44.auth.me());
  return Response.json({
    me: "value" in me ? { email: me.value.email } : me,
    authorization: request.headers.has("authorization"),
    service: request.headers.has("base44-service-authorization"),
  });
});
