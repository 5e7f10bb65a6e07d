/**
 * A stage on a cluster that stands in, for tests of what only this driver does.
 *
 * @module
 */

import { kubernetesDriver } from "../../../drivers/kubernetes/driver.ts";
import type { Deployed } from "../../../runtime/launch/deployed.ts";
import type { DriverSettings } from "../../../runtime/launch/driver.ts";
import { parseAddress } from "../../../runtime/peer/address.ts";
import { stopBundler } from "../../../runtime/script/bundle.ts";
import { type DriverUnderTest, Stage } from "../../conformance/driver/stage.ts";
import { IMAGE, StandIn } from "../../support/kubernetes/stand_in.ts";

/** A script with one service. */
export const ONE = `mp.service("one", () => "answer", { expose: true });`;

/** What the driver suite needs of a cluster that stands in. */
export function placeOn(standIn: StandIn, settings: DriverSettings = {}): DriverUnderTest {
  return {
    driver: kubernetesDriver({ env: standIn.env, linger: 200 }),
    settings: { image: IMAGE, ...settings },
    left: (app) => Promise.resolve(standIn.left(app)),
    call: (deployed, service, params) => callThrough(standIn, deployed, service, params),
    [Symbol.asyncDispose]: () => standIn[Symbol.asyncDispose](),
  };
}

async function callThrough(
  standIn: StandIn,
  { book }: Pick<Deployed, "book">,
  service: string,
  params: readonly unknown[],
): Promise<unknown> {
  const at = parseAddress(book.doors[0]!.address);
  if (at.transport !== "tcp") throw new Error("no door");
  const body = { jsonrpc: "2.0", id: 1, method: service, params };
  const reply = await (await standIn.call(at.hostname, at.port, body)).json();
  if (reply.error) throw new Error(reply.error.message);
  return reply.result;
}

/** Defines a test on a cluster of its own. */
export function stageTest(
  name: string,
  body: (tools: { stage: Stage; standIn: StandIn }) => Promise<void>,
  settings: DriverSettings = {},
): void {
  Deno.test(name, async () => {
    const standIn = await StandIn.start();
    await using place = placeOn(standIn, settings);
    try {
      await using stage = await Stage.make(place, "shop");
      await body({ stage, standIn });
    } finally {
      await stopBundler();
    }
  });
}
