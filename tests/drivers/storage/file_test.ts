import { join } from "@std/path";
import { fileStorage } from "../../../drivers/storage/file.ts";
import { testStorage } from "../../conformance/storage/suite.ts";

testStorage("file", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mp-file-" });
  return {
    open: (options) => fileStorage({ ...options, path: join(folder, ".mp", "data.db") }),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
});
