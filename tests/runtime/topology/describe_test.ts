import { assertEquals } from "@std/assert";
import { scatter } from "../../../patterns/scatter.ts";
import { describeTopology } from "../../../runtime/topology/describe.ts";
import { boundApi } from "./bound_api.ts";

Deno.test("describeTopology() lists the subservices of every service", () => {
  const { mp, topology } = boundApi();
  const leaf = () => 1;
  mp.service("hist", scatter(10, leaf, (parts) => parts), { expose: true });
  mp.service("constructor", leaf);
  assertEquals(JSON.parse(JSON.stringify(describeTopology(topology))), {
    hist: {
      "hist.gather": { replicas: 1, kind: "scatter", expose: true, needs: ["hist.scatter"] },
      "hist.scatter": { replicas: 10, kind: "handler", expose: false, needs: [] },
    },
    constructor: {
      constructor: { replicas: 1, kind: "handler", expose: false, needs: [] },
    },
  });
  assertEquals(Object.keys(Object), []);
});
