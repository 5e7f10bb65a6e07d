/**
 * Addresses and names of pods, on the loopback network.
 *
 * Names are resolved when files are mounted, for processes here have no name server of their own. Those that
 * several pods share get an address where each connection is handed to a pod that is ready.
 *
 * @module
 */

import type { ObjectStore, Stored } from "./object_store.ts";

/** See the module's documentation. */
export class PodNetwork implements AsyncDisposable {
  #store: ObjectStore;
  #ips = new Map<string, string>();
  #block: string;
  #next = 2;
  #listeners = new Map<string, Deno.Listener>();
  #conns = new Set<Deno.Conn>();
  #accepting: Promise<void>[] = [];

  constructor(store: ObjectStore) {
    this.#store = store;
    const { block, listener } = claimBlock();
    this.#block = block;
    this.#listeners.set(block, listener);
  }

  /** The address of a pod, which it keeps with its name. */
  ipOf({ metadata: { namespace = "", name } }: Stored): string {
    return this.#ip(`${namespace}/${name}`);
  }

  /** Replaces names in an address book by addresses. */
  resolve(text: string, pod: Stored): string {
    const { namespace = "" } = pod.metadata;
    return text.replace(/tcp:([a-z0-9.-]+):(\d+)/g, (whole, host: string, port: string) => {
      if (host === "0.0.0.0") return `tcp:${this.ipOf(pod)}:${port}`;
      const [first, service] = host.split(".");
      if (service !== undefined && this.#store.get("services", namespace, service)) {
        return `tcp:${this.#ip(`${namespace}/${first}`)}:${port}`;
      }
      if (service !== undefined || !this.#store.get("services", namespace, host)) return whole;
      return `tcp:${this.#shared(namespace, host, Number(port))}:${port}`;
    });
  }

  /** The pods that a Service sends callers to. */
  endpoints(namespace: string, name: string): Stored[] {
    const selector = this.#store.get("services", namespace, name)?.spec.selector ?? {};
    return this.#store.list("pods", namespace).filter(({ metadata, status }) =>
      metadata.deletionTimestamp === undefined &&
      Object.entries(selector).every(([key, value]) => metadata.labels?.[key] === value) &&
      status?.conditions?.some((one: { type: string; status: string }) =>
        one.type === "Ready" && one.status === "True"
      )
    );
  }

  /** Where a Service sends a caller. */
  target(
    namespace: string,
    name: string,
    port: number,
  ): { hostname: string; port: number } | undefined {
    const found = this.endpoints(namespace, name);
    const pod = found[Math.floor(Math.random() * found.length)];
    const service = this.#store.get("services", namespace, name);
    const wanted = service?.spec.ports.find((one: { port: number }) => one.port === port)
      ?.targetPort;
    if (!pod || wanted === undefined) return undefined;
    const number = typeof wanted === "number"
      ? wanted
      : pod.spec.containers[0].ports.find((one: { name: string }) => one.name === wanted)
        ?.containerPort;
    return { hostname: this.ipOf(pod), port: number };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const listener of this.#listeners.values()) listener.close();
    for (const conn of this.#conns) close(conn);
    await Promise.all(this.#accepting);
  }

  #ip(key: string): string {
    let ip = this.#ips.get(key);
    if (ip === undefined) {
      if (this.#next > 254) throw new Error("there are no more addresses");
      ip = `${this.#block}.${this.#next++}`;
      this.#ips.set(key, ip);
    }
    return ip;
  }

  #shared(namespace: string, service: string, port: number): string {
    const ip = this.#ip(`service ${namespace}/${service}`);
    const key = `${ip}:${port}`;
    if (!this.#listeners.has(key)) {
      const listener = Deno.listen({ hostname: ip, port });
      this.#listeners.set(key, listener);
      this.#accepting.push(this.#accept(listener, namespace, service, port));
    }
    return ip;
  }

  async #accept(
    listener: Deno.Listener,
    namespace: string,
    service: string,
    port: number,
  ): Promise<void> {
    const joined: Promise<void>[] = [];
    try {
      for await (const conn of listener) {
        this.#conns.add(conn);
        joined.push(this.#join(conn, this.target(namespace, service, port)));
      }
    } catch {
      // it was closed
    }
    await Promise.all(joined);
  }

  async #join(conn: Deno.Conn, to: { hostname: string; port: number } | undefined): Promise<void> {
    let other: Deno.Conn | undefined;
    try {
      if (to) other = await Deno.connect(to);
      if (other) {
        this.#conns.add(other);
        await Promise.all([pipe(conn, other), pipe(other, conn)]);
      }
    } catch {
      // one of them is gone
    } finally {
      close(conn);
      if (other) close(other);
      this.#conns.delete(conn);
      if (other) this.#conns.delete(other);
    }
  }
}

/** A block of addresses of its own, held against other networks of this machine by a port that nobody uses. */
function claimBlock(): { block: string; listener: Deno.Listener } {
  const random = () => 1 + Math.floor(Math.random() * 250);
  for (;;) {
    const block = `127.${random()}.${random()}`;
    try {
      return { block, listener: Deno.listen({ hostname: `${block}.1`, port: 4999 }) };
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

async function pipe(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(16_384);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
    }
    await to.closeWrite();
  } catch {
    close(to);
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // it is closed already
  }
}
