import { describe } from "../../../shared/describe.ts";

Deno.serve(async (request) => {
  const seen = await describe(request);
  return Response.json(seen, { status: seen.method === "DELETE" ? 418 : 200, headers: { "x-seen": "yes" } });
});
