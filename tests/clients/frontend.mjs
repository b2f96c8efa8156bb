// Stands in for a frontend: says back what it is sent, and moves to another port when it is asked to.

import { createServer } from "node:http";

function serve() {
  const server = createServer((request, response) => {
    if (request.url === "/move") {
      // The next one first, which then cannot have the same port.
      serve();
      response.end("moving", () => {
        server.close();
        server.closeAllConnections();
      });
      return;
    }
    const { method, url, headers } = request;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ method, url, headers, port: server.address().port }));
  });
  // In colours, as tools write it.
  const announce = () => console.log(`  \x1b[32m➜\x1b[39m  Local: http://localhost:\x1b[1m${server.address().port}\x1b[22m/`);
  server.listen(0, "localhost", announce);
}

serve();
