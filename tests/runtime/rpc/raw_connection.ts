/**
 * HTTP as no client would send it.
 *
 * @module
 */

/** A response as it came. */
export interface RawResponse {
  readonly status: number;
  readonly headers: Headers;
  /** One character for each byte. */
  readonly body: string;
}

/** A connection on which a test writes what it likes. */
export class RawConnection implements Disposable {
  #conn: Deno.Conn;
  #received = "";

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  static async open(port: number): Promise<RawConnection> {
    return new RawConnection(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Writes text, or bytes. */
  async write(data: string | Uint8Array): Promise<void> {
    let rest = typeof data === "string" ? new TextEncoder().encode(data) : data;
    while (rest.length > 0) rest = rest.subarray(await this.#conn.write(rest));
  }

  /** Writes the head of a request to `POST /`. */
  head(fields: Record<string, string | number>): Promise<void> {
    const all = { host: "localhost", "content-type": "application/json", ...fields };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    return this.write(`POST / HTTP/1.1\r\n${lines.join("")}\r\n`);
  }

  /** Says that nothing more will come, and waits until the other side has ended too. */
  async end(): Promise<void> {
    await this.#conn.closeWrite();
    const chunk = new Uint8Array(4096);
    try {
      while (await this.#conn.read(chunk) !== null);
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
  }

  /** Reads one byte, and no more. @returns Whether there was one. */
  async byte(): Promise<boolean> {
    const chunk = new Uint8Array(1);
    const count = await this.#conn.read(chunk);
    if (count !== null) this.#received += String.fromCharCode(chunk[0]!);
    return count !== null;
  }

  /** Reads one response, whose length is told in its head. */
  async response(): Promise<RawResponse> {
    const end = await this.#until(() => this.#received.indexOf("\r\n\r\n") + 4, 4);
    const [first, ...fields] = this.#received.slice(0, end - 4).split("\r\n");
    this.#received = this.#received.slice(end);
    const headers = new Headers();
    for (const field of fields) {
      const colon = field.indexOf(":");
      headers.append(field.slice(0, colon), field.slice(colon + 1));
    }
    const length = Number(headers.get("content-length"));
    await this.#until(() => this.#received.length, length);
    const body = this.#received.slice(0, length);
    this.#received = this.#received.slice(length);
    return { status: Number(first!.split(" ")[1]), headers, body };
  }

  /** Reads until the other side has ended, however it does. @returns What came. */
  async rest(): Promise<string> {
    const chunk = new Uint8Array(4096);
    try {
      for (;;) {
        const count = await this.#conn.read(chunk);
        if (count === null) break;
        this.#received += String.fromCharCode(...chunk.subarray(0, count));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
    return this.#received;
  }

  async #until(reached: () => number, least: number): Promise<number> {
    const chunk = new Uint8Array(4096);
    while (reached() < least) {
      const count = await this.#conn.read(chunk);
      if (count === null) throw new Error(`The connection ended after ${this.#received}`);
      this.#received += String.fromCharCode(...chunk.subarray(0, count));
    }
    return reached();
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }
}
