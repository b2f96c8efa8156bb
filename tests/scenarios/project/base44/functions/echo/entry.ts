// Answers what it was asked.
Deno.serve(async (request) => {
  const { pathname, search } = new URL(request.url);
  const body = await request.text();
  return Response.json(
    { method: request.method, pathname, search, headers: Object.fromEntries(request.headers), body },
    { status: 202, headers: { "x-echo": "yes" } },
  );
});
