import { kubernetesDriver } from "../../../drivers/kubernetes/driver.ts";
import { parseAddress } from "../../../runtime/peer/address.ts";
import { driverSuite } from "../../conformance/driver/suite.ts";
import { IMAGE, StandIn } from "../../support/kubernetes/stand_in.ts";

const SKIPPED = {
  "refuses a port that is in use, and leaves nothing": "a Service has an address of its own",
  "hands on what replicas print, with their names": "pods do not tell stderr from stdout",
};

driverSuite({
  name: "kubernetes (stand-in)",
  capabilities: kubernetesDriver().capabilities,
  skip: SKIPPED,
  async open() {
    const standIn = await StandIn.start();
    return {
      driver: kubernetesDriver({ env: standIn.env, linger: 200 }),
      settings: { image: IMAGE },
      left: (app) => Promise.resolve(standIn.left(app)),
      async call({ book }, service, params) {
        const at = parseAddress(book.doors[0]!.address);
        if (at.transport !== "tcp") throw new Error("no door");
        const response = await standIn.call(at.hostname, at.port, {
          jsonrpc: "2.0",
          id: 1,
          method: service,
          params,
        });
        const reply = await response.json();
        if (reply.error) throw new Error(reply.error.message);
        return reply.result;
      },
      [Symbol.asyncDispose]: () => standIn[Symbol.asyncDispose](),
    };
  },
});
