// What goes wrong, and what becomes of it.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { assignOrder, launchAssigned } from "../../../runtime/launch/deployed.ts";
import type { Case } from "./stage.ts";
import { PATIENCE, until } from "./stage.ts";

/** See {@linkcode CASES}. */
export const failures: readonly Case[] = [
  {
    name: "starts a replica again that ends by itself, and says how it ended",
    async run(stage) {
      const played = await stage.play(`
        mp.service("mortal", mp.spread(2, (die) => die ? Deno.exit(3) : "alive"))
          .subservices.shard.expose = true;`);
      await stage.call(played, "mortal", true).catch(() => {});
      const status = await until(
        played.deployment,
        (all) =>
          all.some(({ restarts }) => restarts > 0) && all.every(({ state }) => state === "ready"),
      );
      assert(status.some(({ lastExit }) => lastExit === "exited with 3"), Deno.inspect(status));
      await stage.callUntil(played, "mortal", (answer) => answer === "alive");
    },
  },
  {
    name: "says why a script does not run, and leaves nothing",
    async run(stage) {
      const order = await stage.order(`
        if (Deno.env.get("MP_ROLE") === "replica") throw new Error("not here");
        mp.service("one", () => 1, { expose: true });`);
      const { deployment } = await stage.launch(order);
      const error = await assertRejects(
        () => deployment.ready(AbortSignal.timeout(PATIENCE)),
        MpError,
      );
      assert(["crash_loop", "launch_failed"].includes(error.code), error.message);
      assert(error.message.includes("one.0") || error.message.includes("one[0]"), error.message);
      await deployment.delete();
      await stage.driver.purge?.(stage.app, { images: true });
      assertEquals(await stage.left(), []);
    },
  },
  {
    name: "refuses a port that is in use, and leaves nothing",
    async run(stage) {
      using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const order = await stage.order(`mp.service("one", () => 1, { expose: true });`, {
        port: taken.addr.port,
      });
      const error = await assertRejects(async () => {
        const { deployment } = await stage.launch(order);
        await deployment.ready(AbortSignal.timeout(PATIENCE));
      }, MpError);
      assertEquals(error.code, "port_in_use");
      assert(error.next?.includes("--port"), error.next);
    },
  },
  {
    name: "stops at once when it is told to while it launches",
    async run(stage) {
      const order = await stage.order(`mp.service("one", mp.spread(3, () => 1));`);
      const stop = new AbortController();
      const deployed = await assignOrder(order, stage.tools);
      const launching = launchAssigned(deployed, stage.tools, { signal: stop.signal });
      stop.abort();
      await assertRejects(async () => await (await launching).ready());
      await (await launching.catch(() => undefined))?.delete();
      await stage.driver.purge?.(stage.app, { images: true });
      assertEquals(await stage.left(), []);
    },
  },
];
