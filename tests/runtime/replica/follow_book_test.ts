import { assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import type { AddressBook } from "../../../runtime/launch/address_book.ts";
import { followBook } from "../../../runtime/replica/follow_book.ts";

const book = (generation: number, revision = "r1"): AddressBook => ({
  revision,
  generation,
  replicas: [],
  doors: [],
});

Deno.test("followBook() takes whole books of its revision, however the file is replaced", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/book.json`;
  const stop = new AbortController();
  let taken = Promise.withResolvers<AddressBook>();
  const books: number[] = [];
  const next = async () => {
    const { generation } = await deadline(taken.promise, 20_000);
    taken = Promise.withResolvers();
    return generation;
  };
  followBook(path, {
    revision: "r1",
    signal: stop.signal,
    every: 5,
    onBook(book) {
      books.push(book.generation);
      taken.resolve(book);
    },
  });
  try {
    // there is no file yet
    await Deno.writeTextFile(path, JSON.stringify(book(1)));
    assertEquals(await next(), 1);
    await Deno.writeTextFile(path, JSON.stringify(book(2)).slice(0, 30));
    await Deno.writeTextFile(path, JSON.stringify(book(20)));
    assertEquals(await next(), 20);
    // as a mounted ConfigMap does it: a link to another folder
    await Deno.writeTextFile(`${folder}/other`, JSON.stringify(book(21)));
    await Deno.symlink(`${folder}/other`, `${folder}/link`);
    await Deno.rename(`${folder}/link`, path);
    assertEquals(await next(), 21);
    await Deno.writeTextFile(`${folder}/third`, JSON.stringify(book(30, "r2")));
    await Deno.rename(`${folder}/third`, path);
    await Deno.writeTextFile(`${folder}/fourth`, JSON.stringify(book(22)));
    await Deno.rename(`${folder}/fourth`, path);
    assertEquals(await next(), 22);
    assertEquals(books, [1, 20, 21, 22]);
  } finally {
    stop.abort();
    await Deno.remove(folder, { recursive: true });
  }
});
