// A Node server that does nothing else: what a Node-based server could reach here at most. Prints its port.
import { createServer } from "node:http";

const body = JSON.stringify({ hello: "world" });
const server = createServer((_, response) => response.writeHead(200, { "content-type": "application/json" }).end(body));
server.listen(0, "127.0.0.1", () => console.log(`Listening on http://127.0.0.1:${server.address().port}/`));
