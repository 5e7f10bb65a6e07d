import { memoryData, memoryStorage } from "../../../drivers/storage/memory.ts";
import { testStorage } from "../../conformance/storage/suite.ts";

testStorage("memory", () => {
  const data = memoryData();
  return {
    open: (options) => memoryStorage({ ...options, data }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});
