import { memoryDriver } from "../../../drivers/memory/driver.ts";
import { memoryData, memoryStorage } from "../../../drivers/storage/memory.ts";
import * as api from "../../../mod.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { driverSuite } from "../../conformance/driver/suite.ts";

driverSuite({
  name: "memory",
  capabilities: { outlivesLauncher: false, limitsResources: false, blueGreen: true },
  open() {
    const data = memoryData();
    const driver = memoryDriver({
      api,
      storages: () => ({
        memory: (_config, namespace) => Promise.resolve(memoryStorage({ namespace, data })),
      }),
    });
    return {
      driver,
      // nothing is there outside of this process; what is left in it, the leak sanitizers find
      left: () => Promise.resolve([]),
      [Symbol.asyncDispose]: () => Promise.resolve(deadlines.settle()),
    };
  },
});
