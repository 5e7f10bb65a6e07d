// Restarts, other numbers, other scripts.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import type { Case } from "./stage.ts";
import { namesOf, until } from "./stage.ts";

const SPREAD = `
  const name = (_, { replica }) => replica.name;
  mp.service("even", mp.spread(2, name, { strategy: "round-robin" })).subservices.shard.expose = true;`;

const answering = (text: string) => `mp.service("one", () => "${text}", { expose: true });`;

/** See {@linkcode CASES}. */
export const changes: readonly Case[] = [
  {
    name: "restarts one replica, and leaves the others alone",
    async run(stage) {
      const played = await stage.play(SPREAD);
      await played.deployment.restart({ path: "even.compute", index: 1 });
      const status = await until(played.deployment, (all) => all.every(isReady));
      const restarts = Object.fromEntries(
        status.map(({ path, index, restarts }) => [`${path}.${index}`, restarts]),
      );
      assertEquals(restarts, { "even.shard.0": 0, "even.compute.0": 0, "even.compute.1": 1 });
      await stage.callUntil(played, "even", (answer) => answer === "even.compute.1");
    },
  },
  {
    name: "refuses to restart what is not there",
    async run(stage) {
      const { deployment } = await stage.play(answering("a"));
      const error = await assertRejects(
        () => deployment.restart({ path: "one", index: 7 }),
        MpError,
      );
      assertEquals(error.code, "deployment_not_found");
    },
  },
  {
    name: "adds and removes replicas of a part without state, while the others go on",
    async run(stage) {
      let played = await stage.play(SPREAD);
      played = await stage.scale(played, "even.compute", 4);
      const names = [0, 1, 2, 3].map((i) => `even.compute.${i}`);
      assertEquals(namesOf(played.deployment.status()), [...names, "even.shard.0"]);
      const seen = new Set();
      await stage.callUntil(played, "even", (answer) => seen.add(answer).size === 4);
      played = await stage.scale(played, "even.compute", 1);
      await until(played.deployment, (all) => all.length === 2);
      for (let i = 0; i < 8; i++) assertEquals(await stage.call(played, "even"), names[0]);
      assert(
        played.deployment.status().every(({ restarts, tree }) => restarts === 0 && tree === 1),
      );
      assertEquals(played.deployment.book, played.deployed.book);
    },
  },
  {
    name: "updates to another script at the same door",
    async run(stage) {
      const first = await stage.play(answering("first"));
      const second = await stage.update(first, await stage.order(answering("second")));
      assertEquals(second.deployed.book.doors[0]!.address, first.deployed.book.doors[0]!.address);
      assertEquals(await stage.call(second, "one"), "second");
      const status = await until(second.deployment, (all) => all.every(({ tree }) => tree === 2));
      assertEquals(namesOf(status), ["one.0"]);
      const third = await stage.update(second, await stage.order(answering("third")));
      assertEquals(await stage.call(third, "one"), "third");
    },
  },
  {
    name: "lets no call fail while it updates",
    without: ({ blueGreen }) =>
      blueGreen ? undefined : "it has no way to run two trees at one door",
    async run(stage) {
      const first = await stage.play(answering("first"));
      const order = await stage.order(answering("second"));
      let updating = true;
      const calling = Promise.all([1, 2, 3].map(async () => {
        const answers = new Set<unknown>();
        while (updating) answers.add(await stage.call(first, "one"));
        return [...answers];
      }));
      await stage.update(first, order).finally(() => updating = false);
      for (const answers of await calling) {
        assertEquals(answers.filter((one) => one !== "first" && one !== "second"), []);
      }
    },
  },
  {
    name: "goes on as before when an update does not start",
    async run(stage) {
      const first = await stage.play(answering("first"));
      const broken = await stage.order(
        `if (Deno.env.get("MP_ROLE") === "replica") throw new Error("not here");\n${
          answering("x")
        }`,
      );
      const error = await assertRejects(() => stage.update(first, broken), MpError);
      assertEquals(["crash_loop", "launch_failed"].includes(error.code), true, error.message);
      assertEquals(await stage.call(first, "one"), "first");
      const status = first.deployment.status();
      assertEquals(status.map(({ state, tree }) => [state, tree]), [["ready", 1]]);
    },
  },
];

function isReady({ state }: { state: string }): boolean {
  return state === "ready";
}
