// One event when it is called, the next only when it is called again under `/next`.
let next = Promise.withResolvers<void>();

Deno.serve((request) => {
  if (new URL(request.url).pathname.endsWith("/next")) {
    next.resolve();
    next = Promise.withResolvers();
    return new Response("ticked");
  }
  const events = async function* () {
    yield "data: one\n\n";
    await next.promise;
    yield "data: two\n\n";
  };
  return new Response(ReadableStream.from(events()).pipeThrough(new TextEncoderStream()), {
    headers: { "content-type": "text/event-stream" },
  });
});
