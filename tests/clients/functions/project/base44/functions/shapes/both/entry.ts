Deno.serve(() => new Response("both"));
export default () => new Response("not this one");
