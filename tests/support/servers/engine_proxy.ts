/**
 * A way to a container engine that is cut when something certain is asked for, as if the engine had ended.
 *
 * @module
 */

import { connect, createServer, type Socket } from "node:net";
import { join } from "@std/path";

/** A running proxy. */
export interface EngineProxy extends AsyncDisposable {
  /** What `DOCKER_HOST` is to be. */
  readonly host: string;
}

/**
 * Starts a proxy.
 *
 * @param socket The engine's own socket.
 * @param folder Where to listen.
 * @param until The request at which it ends.
 */
export async function engineProxy(
  socket: string,
  folder: string,
  until: RegExp,
): Promise<EngineProxy> {
  const path = join(folder, "proxy.sock");
  const open = new Map<Socket, Promise<void>>();
  const keep = (one: Socket) => {
    // the other side may have gone
    one.on("error", () => {});
    const { promise, resolve } = Promise.withResolvers<void>();
    one.once("close", () => {
      open.delete(one);
      resolve();
    });
    open.set(one, promise);
  };
  const server = createServer((client) => {
    const engine = connect(socket);
    keep(client);
    keep(engine);
    client.on("data", (piece) => {
      if (until.test(piece.toString())) cut();
      else engine.write(piece);
    });
    client.once("close", () => engine.destroy());
    engine.pipe(client);
    engine.once("close", () => client.destroy());
  });
  const closed = new Promise<void>((resolve) => server.once("close", () => resolve()));
  const cut = () => {
    server.close();
    for (const one of open.keys()) one.destroy();
  };
  await new Promise<void>((resolve) => server.listen(path, () => resolve()));
  return {
    host: `unix://${path}`,
    async [Symbol.asyncDispose]() {
      cut();
      await Promise.all([closed, ...open.values()]);
    },
  };
}
