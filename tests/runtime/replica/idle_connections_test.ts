import { assertEquals } from "@std/assert";
import type { DoorConnection } from "../../../runtime/replica/door_connections.ts";
import { IdleConnections } from "../../../runtime/replica/idle_connections.ts";

const IDLE_FOR = 60_000;

/** Connections of a clock that only the test moves. */
class Connections {
  now = 1_000_000;
  readonly ended: number[] = [];
  readonly idle: IdleConnections;
  #open = new Map<number, { sent: number; received: number }>();

  constructor() {
    this.idle = new IdleConnections(1, IDLE_FOR, {
      now: () => this.now,
      each: (_port, look) =>
        this.#open.forEach((_, descriptor) => look(this.#connection(descriptor))),
    });
  }

  accept(descriptor: number): void {
    this.#open.set(descriptor, { sent: this.now, received: this.now });
  }

  receive(descriptor: number): void {
    this.#open.get(descriptor)!.received = this.now;
  }

  send(descriptor: number): void {
    this.#open.get(descriptor)!.sent = this.now;
  }

  /** Lets time pass, with a look every 15 s; and before each of them `meanwhile`. */
  pass(milliseconds: number, meanwhile = () => {}): void {
    for (let passed = 0; passed < milliseconds; passed += 15_000) {
      this.now += 15_000;
      meanwhile();
      this.idle.look();
    }
  }

  #connection(descriptor: number): DoorConnection {
    const { sent, received } = this.#open.get(descriptor)!;
    return {
      descriptor,
      callerPort: descriptor,
      sent: this.now - sent,
      received: this.now - received,
      end: () => {
        this.ended.push(descriptor);
        this.#open.delete(descriptor);
      },
    };
  }
}

Deno.test("IdleConnections ends a connection that nobody uses, and not before", () => {
  const connections = new Connections();
  connections.accept(1);
  connections.pass(60_000);
  assertEquals(connections.ended, []);
  connections.pass(30_000);
  assertEquals(connections.ended, [1]);
});

Deno.test("IdleConnections leaves a connection that is used now and then", () => {
  const connections = new Connections();
  connections.accept(1);
  for (let i = 0; i < 10; i++) {
    connections.pass(45_000);
    connections.receive(1);
    connections.now += 10;
    connections.send(1);
  }
  assertEquals(connections.ended, []);
});

Deno.test("IdleConnections gives a request its time, however long the connection was idle before", () => {
  const connections = new Connections();
  connections.accept(1);
  connections.pass(60_000);
  connections.receive(1);
  // the call takes almost all of the time that there is
  connections.pass(60_000);
  assertEquals(connections.ended, []);
  connections.now += 1;
  connections.send(1);
  connections.pass(60_000);
  assertEquals(connections.ended, []);
});

Deno.test("IdleConnections ends a connection over which a request comes for ever", () => {
  const connections = new Connections();
  connections.accept(1);
  connections.pass(90_000, () => connections.receive(1));
  assertEquals(connections.ended, [1]);
});

Deno.test("IdleConnections takes a descriptor that is used anew for another connection", () => {
  const connections = new Connections();
  connections.accept(1);
  connections.pass(60_000);
  connections.accept(1);
  connections.pass(60_000);
  assertEquals(connections.ended, []);
});
