Deno.serve({ handler: () => new Response("object") });
