/**
 * A TCP proxy that cuts, stalls and swallows, to stand between a client and its server in tests.
 *
 * @module
 */

/** A running proxy. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** How many connections were made through it. */
  readonly connections: number;
  /** Cuts every connection. */
  cut(): void;
  /** Refuses new connections and cuts those that are, until told otherwise. */
  refuse(refusing: boolean): void;
  /** Holds back what the server says; what the client says goes on. Lets it all go when told so. */
  holdReplies(holding: boolean): void;
  /** Resolves when the server has said something that is held back. */
  replyHeld(): Promise<void>;
}

/** Starts a proxy on a free port. */
export function startProxy(target: { hostname?: string; port: number }): TcpProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const serving = new Set<Promise<void>>();
  let refusing = false;
  let count = 0;
  let gate = Promise.withResolvers<void>();
  let holding = false;
  let held = Promise.withResolvers<void>();

  async function serve(client: Deno.Conn): Promise<void> {
    open.add(client);
    let server: Deno.Conn | undefined;
    try {
      server = await Deno.connect({ hostname: "127.0.0.1", ...target });
      open.add(server);
      await Promise.allSettled([pipe(client, server, false), pipe(server, client, true)]);
    } catch {
      // the server is away, and so is the proxy then
    } finally {
      for (const connection of [client, server]) if (connection) end(connection);
    }
  }

  async function pipe(from: Deno.Conn, to: Deno.Conn, replies: boolean): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        const size = await from.read(buffer);
        if (size === null) break;
        if (replies && holding) {
          held.resolve();
          await gate.promise;
        }
        for (let written = 0; written < size;) {
          written += await to.write(buffer.subarray(written, size));
        }
      }
    } finally {
      // one half that ends ends the other, as with a server that died
      end(from);
      end(to);
    }
  }

  function end(connection: Deno.Conn): void {
    if (!open.delete(connection)) return;
    connection.close();
  }

  function cut(): void {
    for (const connection of [...open]) end(connection);
    if (holding) {
      gate.resolve();
      gate = Promise.withResolvers();
      held = Promise.withResolvers();
    }
  }

  const accepting = (async () => {
    for await (const client of listener) {
      count++;
      if (refusing) {
        client.close();
        continue;
      }
      const served = serve(client).finally(() => serving.delete(served));
      serving.add(served);
    }
  })();

  return {
    port: (listener.addr as Deno.NetAddr).port,
    get connections() {
      return count;
    },
    cut,
    refuse(now) {
      refusing = now;
      if (now) cut();
    },
    holdReplies(now) {
      holding = now;
      if (now) {
        held = Promise.withResolvers();
      } else {
        gate.resolve();
        gate = Promise.withResolvers();
      }
    },
    replyHeld: () => held.promise,
    async [Symbol.asyncDispose]() {
      listener.close();
      holding = false;
      gate.resolve();
      cut();
      await Promise.all([accepting, ...serving]);
    },
  };
}
