// Another program on this machine: keeps what it is sent, and answers as it is told to.
import { once } from "node:events";
import { createServer } from "node:http";

/** What lets the program call this machine. */
export const ALLOW_PRIVATE = { BURGEE_OUTBOUND_ALLOW_PRIVATE_ADDRESSES: "true" };

/**
 * Starts it. `answer` is given each request (`method`, `url`, `headers`, `body`) and tells `status`, `headers` and `body`
 * of its answer; without one, everything is answered with 200.
 */
export async function startReceiver(answer = () => ({})) {
  const received = [];
  const receiver = { received, answer };
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method, url, headers } = request;
    received.push({ method, url, headers, body });
    const { status = 200, headers: extra = {}, body: said = "" } = receiver.answer(received.at(-1));
    response.writeHead(status, extra).end(typeof said === "string" ? said : JSON.stringify(said));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  receiver.url = `http://127.0.0.1:${server.address().port}`;
  receiver.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return receiver;
}
