export default (_request: Request) => new Response("default");
