// Hands out what the platform gives a function, so that a client outside can be the service role.
Deno.serve((request) => {
  const authorization = request.headers.get("base44-service-authorization") ?? "";
  return new Response(authorization.replace("Bearer ", ""));
});
