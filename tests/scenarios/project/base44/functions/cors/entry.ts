// Answers cross-origin questions by itself.
Deno.serve(() => new Response("ok", { headers: { "access-control-allow-origin": "*" } }));
