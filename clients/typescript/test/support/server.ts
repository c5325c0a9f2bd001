// A real HTTP server, to be told what to do with each request.

import { once } from "node:events";
import { type RequestListener, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

/** A running server. */
export interface Running {
  url: string;
  /** How many requests came. */
  count(): number;
}

/** Serves until the test ends. */
export async function serve(t: TestContext, handle: RequestListener): Promise<Running> {
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    // What a client breaks off is no fault of a test's.
    response.on("error", () => undefined);
    handle(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, count: () => count };
}

/** An address at which nobody listens. */
export async function nobody(): Promise<string> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}`;
}
