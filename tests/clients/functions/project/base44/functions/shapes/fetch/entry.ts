export default { fetch: (_request: Request) => new Response("fetch") };
