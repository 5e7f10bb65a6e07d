import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { scatter } from "../../../patterns/scatter.ts";
import { shard } from "../../../patterns/shard.ts";
import { spread } from "../../../patterns/spread.ts";
import { MpError } from "../../../runtime/errors.ts";
import { makePlan } from "../../../runtime/plan/make_plan.ts";
import { findPlace, replicaInfo, widthsOf } from "../../../runtime/replica/place.ts";
import { walk } from "../../../runtime/topology/walk.ts";
import { boundApi } from "../topology/bound_api.ts";
import { bookOf } from "./book_of.ts";

const leaf = () => 1;
const merge = (parts: number[]) => parts.length;

function sample() {
  const { mp, topology } = boundApi();
  mp.service("a", shard(4, () => 1, scatter(3, spread(2, leaf), merge)), { replicas: 2 });
  mp.service("constructor", leaf, { expose: true });
  mp.service("c", scatter(5, leaf, merge), { expose: true });
  return topology;
}

Deno.test("widthsOf() finds the widths that a plan was made with, from its address book alone", () => {
  const topology = sample();
  const width = fc.integer({ min: 1, max: 4 });
  const paths = [...walk(topology)].map(({ path }) => path);
  const widths = fc.dictionary(fc.constantFrom(...paths), width);
  fc.assert(fc.property(widths, (widths) => {
    const plan = makePlan(topology, { app: "app", bundle: "b", widths });
    const found = widthsOf(topology, bookOf(plan));
    assertEquals(makePlan(topology, { app: "app", bundle: "b", widths: found }), plan);
    // every path has one, so that nothing is taken from the script
    assertEquals(Object.keys(found), paths);
  }));
});

Deno.test("widthsOf() gives a width that is refused when the book does not fit the topology", () => {
  const topology = sample();
  const plan = makePlan(topology, { app: "app", bundle: "b" });
  const book = bookOf(plan);
  const replicas = book.replicas.filter(({ path, index }) =>
    path !== "a.compute.scatter" || index > 0
  );
  const widths = widthsOf(topology, { ...book, replicas });
  assertEquals(widths["a.compute.scatter"], 11 / 4);
  assertThrows(() => makePlan(topology, { app: "app", bundle: "b", widths }), MpError, "2.75");
});

Deno.test("replicaInfo() counts within the parent's instance, and names by the flat index", () => {
  assertEquals(replicaInfo({ path: "a.compute.scatter", width: 3 }, 7), {
    path: "a.compute.scatter",
    index: 1,
    count: 3,
    name: "a.compute.scatter.7",
  });
  const root = replicaInfo({ path: "a", width: 1 }, 0);
  assertEquals([root.index, root.count, root.name], [0, 1, "a.0"]);
  assert(Object.isFrozen(root));
});

Deno.test("findPlace() finds a path, knows the ingress, and refuses any other", () => {
  const places = [...walk(sample())];
  assertEquals(findPlace(places, "c.scatter")?.path, "c.scatter");
  assertEquals(findPlace(places, "ingress"), undefined);
  const error = assertThrows(() => findPlace(places, "c"), MpError, 'a replica of "c"');
  assertEquals(error.code, "launch_failed");
  assert(error.next);
});
