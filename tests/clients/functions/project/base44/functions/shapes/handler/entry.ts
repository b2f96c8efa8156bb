Deno.serve(() => new Response("handler"));
