Deno.serve({ port: 1, hostname: "203.0.113.1" }, () => new Response("options"));
