// A nested function that is called with a sub-path as well.
export default {
  fetch: (request: Request) => Response.json({ pathname: new URL(request.url).pathname }),
};
