// What runs, and what can be seen of it.
import { assert, assertEquals } from "@std/assert";
import type { Case } from "./stage.ts";
import { line, namesOf, ready } from "./stage.ts";

const HISTOGRAM = `
  const leaf = (_, { replica }) => replica.name;
  mp.service("hist", mp.scatter(3, leaf, (parts) => parts))
    .subservices.gather.expose = true;`;

/** See {@linkcode CASES}. */
export const launches: readonly Case[] = [
  {
    name: "runs every replica of the plan, each with its own name",
    async run(stage) {
      const played = await stage.play(HISTOGRAM);
      const names = ["hist.gather.0", "hist.scatter.0", "hist.scatter.1", "hist.scatter.2"];
      assertEquals(await stage.call(played, "hist"), names.slice(1));
      const status = played.deployment.status();
      assertEquals(namesOf(status), names);
      for (const { state, tree, restarts, since } of status) {
        assertEquals([state, tree, restarts], ["ready", 1, 0]);
        assert(since !== undefined && since <= Date.now());
      }
    },
  },
  {
    name: "gives every instance of a part parts of its own",
    async run(stage) {
      const played = await stage.play(`
        const name = (_, { replica }) => replica.name;
        mp.service("deep", mp.shard(2, (n) => n, mp.scatter(2, name, (parts) => parts)))
          .subservices.shard.expose = true;`);
      const leaf = (i: number) => `deep.compute.scatter.${i}`;
      assertEquals(await stage.call(played, "deep", 0), [leaf(0), leaf(1)]);
      assertEquals(await stage.call(played, "deep", 1), [leaf(2), leaf(3)]);
    },
  },
  {
    name: "lets services call each other, and puts an ingress before several",
    async run(stage) {
      const played = await stage.play(`
        const stock = mp.service("stock", (n) => n * 2, { expose: true });
        mp.service("shop", async (n) => 1 + await stock.call(n), { expose: true });`);
      assertEquals(await stage.call(played, "shop", 4), 9);
      assertEquals(await stage.call(played, "stock", 4), 8);
      assertEquals(namesOf(played.deployment.status()), ["ingress.0", "shop.0", "stock.0"]);
    },
  },
  {
    name: "assigns every replica an address of its own, before anything runs",
    async run(stage) {
      const order = await stage.order(HISTOGRAM);
      const book = await stage.driver.assign(order.plan, { host: "127.0.0.1", port: 0, tree: 1 });
      const addresses = book.replicas.flatMap(({ peer, http }) => [peer, http]);
      assertEquals(
        new Set(addresses).size,
        2 * order.plan.nodes.reduce((n, node) => n + node.replicas, 0),
      );
      assertEquals(book.revision, order.plan.revision);
      assertEquals(book.doors.map(({ node }) => node), ["hist.gather"]);
      assertEquals(await stage.left(), []);
    },
  },
  {
    name: "gives replicas the environment of the command line, over that of the script",
    async run(stage) {
      const played = await stage.play(
        `mp.service("env", () => [Deno.env.get("A"), Deno.env.get("B"), Deno.env.get("C")], {
           expose: true, env: { A: "script", B: "script" } });`,
        { env: { B: "line = ä", C: "" } },
      );
      assertEquals(await stage.call(played, "env"), ["script", "line = ä", ""]);
    },
  },
  {
    name: "hands on what replicas print, with their names",
    async run(stage) {
      const order = await stage.order(`
        mp.service("loud", (text) => (console.log("out " + text), console.error("err " + text)), {
          expose: true });`);
      const played = await stage.launch(order);
      const [out, err] = [played.deployment.lines(), played.deployment.lines()];
      await ready(played.deployment);
      await stage.call(played, "loud", "wörd");
      const { path, index, stream, time } = await line(out, ({ text }) => text === "out wörd");
      assertEquals([path, index, stream], ["loud", 0, "stdout"]);
      assert(Math.abs(Date.now() - time) < 600_000);
      assertEquals((await line(err, ({ text }) => text === "err wörd")).stream, "stderr");
    },
  },
  {
    name: "deletes everything, twice, and ends what it tells",
    async run(stage) {
      const { deployment } = await stage.play(HISTOGRAM);
      const events = Array.fromAsync(deployment.events());
      const lines = Array.fromAsync(deployment.lines());
      await Promise.all([deployment.delete(), deployment.delete()]);
      await Promise.all([events, lines, deployment.delete()]);
      await stage.driver.purge?.(stage.app, { images: true });
      assertEquals(await stage.left(), []);
    },
  },
];
