// Tells which tokens reach a function, so that scenarios can act as the service role.
export default (request: Request) =>
  Response.json({
    service: request.headers.get("base44-service-authorization"),
    user: request.headers.get("authorization"),
  });
