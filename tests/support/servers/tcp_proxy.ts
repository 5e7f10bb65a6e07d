/**
 * A TCP proxy that cuts, refuses, stalls, delays and holds back, to stand between a client and its server in tests.
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
  /** Cuts every connection; what is held back is gone. */
  cut(): void;
  /** Cuts every connection, and every new one at once, until told otherwise. */
  refuse(refusing: boolean): void;
  /** Holds back what the server says; what the client says goes on. Lets it all go when told so. */
  holdReplies(holding: boolean): void;
  /** Holds back what both say, as a network does that has stalled. Lets it all go when told so. */
  stall(stalling: boolean): void;
  /** Delays each piece from now on by as many milliseconds, in both directions; a function is asked for each. */
  delay(milliseconds: number | (() => number)): void;
  /** Resolves when the server has said something that is held back. */
  replyHeld(): Promise<void>;
}

/** One direction of one connection. */
class Pipe {
  #pieces: { readonly chunk: Uint8Array; readonly due: number }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #to: Socket;
  readonly isHeld: () => boolean;

  constructor(to: Socket, isHeld: () => boolean) {
    this.#to = to;
    this.isHeld = isHeld;
  }

  push(chunk: Uint8Array, delay: number): void {
    if (delay === 0 && this.#pieces.length === 0 && !this.isHeld()) this.#say(chunk);
    else {
      this.#pieces.push({ chunk, due: performance.now() + delay });
      this.flush();
    }
  }

  /** Says what is due, in order, and comes back for the rest. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (let next = this.#pieces[0]; next && !this.isHeld(); next = this.#pieces[0]) {
      const wait = next.due - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.flush(), wait);
        return;
      }
      this.#pieces.shift();
      this.#say(next.chunk);
    }
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#pieces = [];
  }

  #say(chunk: Uint8Array): void {
    if (!this.#to.destroyed) this.#to.write(chunk);
  }
}

/** Starts a proxy on a free port. */
export async function startProxy(
  { hostname = "127.0.0.1", port }: { readonly hostname?: string; readonly port: number },
): Promise<TcpProxy> {
  const open = new Map<Socket, Pipe>();
  let refusing = false;
  let holding = false;
  let stalling = false;
  let connections = 0;
  let requests = 0;
  let delay = () => 0;
  let held = Promise.withResolvers<void>();

  function join(from: Socket, pipe: Pipe, to: Socket, noted: () => void): void {
    open.set(from, pipe);
    from.setNoDelay(true);
    from.on("data", (chunk: Uint8Array) => {
      noted();
      pipe.push(chunk, delay());
    });
    // one side that ends ends the other, as with a server that died
    from.on("error", () => from.destroy());
    from.on("close", () => {
      open.delete(from);
      pipe.end();
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
    join(client, new Pipe(target, () => stalling), target, () => requests++);
    join(target, new Pipe(client, () => stalling || holding), client, () => {
      if (holding) held.resolve();
    });
  });

  function cut(): void {
    held = Promise.withResolvers();
    for (const socket of [...open.keys()]) socket.destroy();
  }

  function flush(): void {
    for (const pipe of [...open.values()]) pipe.flush();
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
      flush();
    },
    stall(now) {
      stalling = now;
      if (!now) flush();
    },
    delay(milliseconds) {
      delay = typeof milliseconds === "function" ? milliseconds : () => milliseconds;
    },
    replyHeld: () => held.promise,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}
