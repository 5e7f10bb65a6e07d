/**
 * A TCP proxy that cuts, refuses and holds back, to stand between a client and its server in tests.
 *
 * @module
 */

import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A running proxy. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** How many connections were made through it. */
  readonly connections: number;
  /** How many pieces clients have said; a short request is one. */
  readonly requests: number;
  /** Cuts every connection. */
  cut(): void;
  /** Cuts every connection, and every new one at once, until told otherwise. */
  refuse(refusing: boolean): void;
  /** Holds back what the server says; what the client says goes on. Lets it all go when told so. */
  holdReplies(holding: boolean): void;
  /** Resolves when the server has said something that is held back. */
  replyHeld(): Promise<void>;
}

/** Starts a proxy on a free port. */
export async function startProxy(
  { hostname = "127.0.0.1", port }: { readonly hostname?: string; readonly port: number },
): Promise<TcpProxy> {
  const open = new Set<Socket>();
  const waiting: (() => void)[] = [];
  let refusing = false;
  let holding = false;
  let connections = 0;
  let requests = 0;
  let held = Promise.withResolvers<void>();

  function join(from: Socket, to: Socket, say: (chunk: Uint8Array) => void): void {
    open.add(from);
    from.on("data", say);
    // one side that ends ends the other, as with a server that died
    from.on("error", () => from.destroy());
    from.on("close", () => {
      open.delete(from);
      to.destroy();
    });
  }

  const server = createServer((client) => {
    connections++;
    if (refusing) {
      client.destroy();
      return;
    }
    const target = connect(port, hostname);
    join(client, target, (chunk) => {
      requests++;
      target.write(chunk);
    });
    join(target, client, (chunk) => {
      const say = () => void (client.destroyed || client.write(chunk));
      if (!holding) return say();
      waiting.push(say);
      held.resolve();
    });
  });

  function cut(): void {
    waiting.length = 0;
    held = Promise.withResolvers();
    for (const socket of [...open]) socket.destroy();
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    get requests() {
      return requests;
    },
    cut,
    refuse(now) {
      refusing = now;
      if (now) cut();
    },
    holdReplies(now) {
      holding = now;
      if (now) return;
      held = Promise.withResolvers();
      for (const say of waiting.splice(0)) say();
    },
    replyHeld: () => held.promise,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}
