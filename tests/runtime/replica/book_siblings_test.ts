import { assertEquals } from "@std/assert";
import type { AddressBook, ReplicaAddress } from "../../../runtime/launch/address_book.ts";
import { bookSiblings, siblingName } from "../../../runtime/replica/book_siblings.ts";
import type { Switchboard } from "../../../runtime/replica/switchboard.ts";
import { newSession } from "../../../runtime/storage/version.ts";

const address = (path: string, index: number, shared = false): ReplicaAddress => ({
  path,
  index,
  peer: `memory:${path}.${index}`,
  http: `memory:${path}.${index}.h`,
  shared,
});

Deno.test("bookSiblings() finds replicas of the book by their sessions, and nobody else", () => {
  const told: string[] = [];
  const bookOf = (...replicas: ReplicaAddress[]): AddressBook => ({
    ...{ revision: "r", generation: 1, doors: [] },
    replicas,
  });
  const board = {
    book: bookOf(address("a.compute", 0), address("a.compute", 1), address("b.shard", 0, true)),
    peer: ({ path, index }: ReplicaAddress) => ({
      tell: (target: string, body: string) => told.push(`${path}.${index} ${target} ${body}`) > 0,
    }),
  };
  const own = { app: "shop", revision: "r", name: "a.compute.0" };
  const siblings = bookSiblings(board as unknown as Switchboard, own);
  const tell = (name?: string, other: Partial<typeof own> = {}) =>
    siblings.tell(newSession(name && siblingName({ ...own, name, ...other })), "{}");
  assertEquals([tell("a.compute.1"), tell("a.compute.2"), tell()], [true, false, false]);
  // itself, and replicas of the same name elsewhere
  assertEquals([
    tell("a.compute.0"),
    tell("a.compute.1", { app: "other" }),
    tell("a.compute.1", { revision: "other" }),
  ], [false, false, false]);
  // behind one address there are several
  assertEquals(tell("b.shard.0"), false);
  board.book = bookOf(address("a.compute", 2));
  assertEquals([tell("a.compute.1"), tell("a.compute.2")], [false, true]);
  assertEquals(told, ["a.compute.1 handed-on {}", "a.compute.2 handed-on {}"]);
});
