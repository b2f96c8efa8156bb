Deno.serve(() => Deno.exit(3));
