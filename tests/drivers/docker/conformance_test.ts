import { dockerDriver } from "../../../drivers/docker/driver.ts";
import { ensureImage, removeImages } from "../../../drivers/docker/image.ts";
import { driverSuite } from "../../conformance/driver/suite.ts";
import { env, leftInEngine, needsEngine, testEngine } from "../../support/engine.ts";
import { testWith } from "../../support/needs.ts";

const needs = await needsEngine();
const driver = () => dockerDriver({ env });

/** An image that keeps what is below it from being removed, and made again, with those of each case. */
const keeper = {
  app: "keeper",
  bundle: { code: "", map: "", hash: "" },
  settings: {},
  version: "0.0.0",
};

driverSuite({
  name: "docker",
  capabilities: driver().capabilities,
  needs,
  async open() {
    await ensureImage(testEngine(), keeper);
    return {
      driver: driver(),
      left: leftInEngine,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  },
});

testWith(needs, "removeImages() removes the images of the suite", async () => {
  await removeImages(testEngine(), keeper.app);
});
