// Deployments that outlive their launcher.
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { Capabilities } from "../../../runtime/launch/driver.ts";
import type { Case, Played, Stage } from "./stage.ts";
import { namesOf, until } from "./stage.ts";

const SPREAD = `
  const name = (_, { replica }) => replica.name;
  mp.service("even", mp.spread(2, name, { strategy: "round-robin" })).subservices.shard.expose = true;`;

const without = ({ outlivesLauncher }: Capabilities) =>
  outlivesLauncher ? undefined : "its replicas end with their launcher";

async function discover({ driver, app }: Stage) {
  return await Array.fromAsync(driver.discover!({ app }));
}

/** Takes up what another launcher left, as another process would. */
async function recover(stage: Stage): Promise<Played> {
  const [found] = await discover(stage);
  assert(found, "it is not found");
  const logs = join(stage.folder, "other");
  const recovered = await stage.driver.recover!(found.handle, { logs, grace: 5_000 });
  assert(recovered, "it is gone");
  stage.keep(recovered.deployment);
  const { order, book, tree, scaled, handle } = recovered.note;
  const bundle = { ...order.bundle, ...await recovered.bundle() };
  return {
    deployment: recovered.deployment,
    deployed: {
      order: { ...order, bundle },
      book,
      tree,
      scaled,
      created: handle.created,
      files: { bundle: "", sourceMap: "", script: bundle.script },
    },
  };
}

/** See {@linkcode CASES}. */
export const recoveries: readonly Case[] = [
  {
    name: "goes on when its launcher leaves, and is found again by the platform alone",
    without,
    async run(stage) {
      assertEquals(await discover(stage), []);
      const played = await stage.play(SPREAD);
      await played.deployment.leave!();
      stage.forget(played.deployment);
      assertEquals(typeof await stage.call(played, "even"), "string");
      const [found, ...others] = await discover(stage);
      assertEquals(others, []);
      const { order, book } = played.deployed;
      assertEquals([found!.handle.app, found!.handle.revision, found!.handle.script], [
        stage.app,
        order.plan.revision,
        order.bundle.script,
      ]);
      assertEquals(found!.handle.doors.map(({ address }) => address), [book.doors[0]!.address]);
      const again = await recover(stage);
      assertEquals(again.deployed.book, book);
      assertEquals(again.deployed.order, JSON.parse(JSON.stringify(order)));
      const status = await until(
        again.deployment,
        (all) => all.every(({ state }) => state === "ready"),
      );
      assertEquals(namesOf(status), ["even.compute.0", "even.compute.1", "even.shard.0"]);
    },
  },
  {
    name: "is scaled, restarted, updated and deleted by launchers that took it up",
    without,
    async run(stage) {
      const first = await stage.play(SPREAD);
      await first.deployment.leave!();
      stage.forget(first.deployment);
      const second = await stage.scale(await recover(stage), "even.compute", 3);
      const seen = new Set();
      await stage.callUntil(second, "even", (answer) => seen.add(answer).size === 3);
      await second.deployment.restart({ path: "even.compute", index: 2 });
      await second.deployment.leave!();
      stage.forget(second.deployment);
      const third = await recover(stage);
      assertEquals(third.deployed.book, second.deployed.book);
      assertEquals(third.deployed.scaled, { "even.compute": 3 });
      const order = await stage.order(`mp.service("even", () => "other", { expose: true });`);
      const fourth = await stage.update(third, order);
      assertEquals(await stage.call(fourth, "even"), "other");
      await fourth.deployment.leave!();
      stage.forget(fourth.deployment);
      const last = await recover(stage);
      assertEquals(last.deployed.tree, 2);
      await last.deployment.delete();
      assertEquals(await discover(stage), []);
    },
  },
];
