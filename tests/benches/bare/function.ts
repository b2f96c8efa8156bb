// The benchmark's function, for both servers and for a Deno process that has nothing in front of it.
Deno.serve(() => Response.json({ hello: "world" }));
