import { processDriver } from "../../../drivers/process/driver.ts";
import { driverSuite } from "../../conformance/driver/suite.ts";

driverSuite({
  name: "process",
  capabilities: processDriver().capabilities,
  open: () => ({
    driver: processDriver(),
    // its processes end with the test's own, and its folders are looked after by its own tests
    left: () => Promise.resolve([]),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }),
});
