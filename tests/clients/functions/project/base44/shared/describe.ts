/** What a function sees of a request. */
export async function describe(request: Request) {
  const { pathname, search } = new URL(request.url);
  return {
    method: request.method,
    path: pathname + search,
    type: request.headers.get("content-type"),
    mine: request.headers.get("x-mine"),
    body: await request.text(),
  };
}
