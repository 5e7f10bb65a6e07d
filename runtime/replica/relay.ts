/**
 * Passes on, byte by byte, what comes in at a port that a platform has given to this container and cannot move
 * to another.
 *
 * @module
 */

import type { Address } from "../launch/address_book.ts";
import { dial, parseAddress } from "../peer/address.ts";
import { aborted } from "./aborted.ts";
import { takeOverPort } from "./port_takeover.ts";

/** How long a connection waits for somebody who accepts it, in milliseconds. */
const PATIENCE = 10_000;
const PAUSE = 50;

/** See the module's documentation. */
export class Relay {
  #to: Address;
  #listener: Deno.Listener;
  #open = new Set<Promise<void>>();
  #closed = new AbortController();

  /**
   * Begins to listen. All new connections come here from now on, though a door of this process listens there too.
   *
   * @param listen A TCP port.
   * @param to Where to pass on what comes in.
   */
  constructor(listen: Address, to: Address) {
    const { hostname, port } = tcp(listen);
    this.#to = to;
    this.#listener = Deno.listen({ hostname, port, reusePort: Deno.build.os === "linux" });
    takeOverPort((this.#listener.addr as Deno.NetAddr).port, hostname);
    this.#accept();
  }

  /** Passes new connections on to somebody else. */
  pointTo(to: Address): void {
    this.#to = to;
  }

  /** Accepts nothing more, and resolves when all connections have ended, or `signal` aborts. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#closed.abort();
    this.#listener.close();
    await Promise.race([Promise.all(this.#open), aborted(signal)]);
  }

  async #accept(): Promise<void> {
    try {
      for await (const conn of this.#listener) {
        const passed = this.#pass(conn).finally(() => this.#open.delete(passed));
        this.#open.add(passed);
      }
    } catch (error) {
      if (!this.#closed.signal.aborted) throw error;
    }
  }

  async #pass(caller: Deno.Conn): Promise<void> {
    let called: Deno.Conn | undefined;
    try {
      called = await this.#dial();
      await Promise.all([copy(caller, called), copy(called, caller)]);
    } catch {
      // who is left of the two learns of it by the end of the connection
    } finally {
      close(caller);
      if (called) close(called);
    }
  }

  /** Connects; who is about to start, or starts again, is waited for. */
  async #dial(): Promise<Deno.Conn> {
    const end = performance.now() + PATIENCE;
    for (;;) {
      try {
        return await dial(this.#to);
      } catch (error) {
        if (performance.now() > end || this.#closed.signal.aborted) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
  }
}

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const piece = new Uint8Array(64 * 1024);
  for (;;) {
    const count = await from.read(piece);
    if (count === null) return await to.closeWrite();
    for (let sent = 0; sent < count;) sent += await to.write(piece.subarray(sent, count));
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // it is closed already
  }
}

function tcp(address: Address): { readonly hostname: string; readonly port: number } {
  const at = parseAddress(address);
  if (at.transport !== "tcp") throw new TypeError(`Cannot pass on ${address}: it is no TCP port`);
  return at;
}
