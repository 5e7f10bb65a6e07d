/**
 * Counts in a file storage until it is killed, and prints each number that was acknowledged.
 *
 * Arguments: the file, the scope, and how often to count at most.
 *
 * @module
 */

import { fileStorage } from "../../../drivers/storage/file.ts";
import { scope, Session } from "../../conformance/storage/harness.ts";

const [path, name, times] = Deno.args;
const storage = fileStorage({ path: path!, namespace: "shop" });
const session = new Session(storage);
for (let i = 0; i < Number(times); i++) {
  await session.change(scope(name!), (count) => Number(count ?? 0) + 1);
  // a line is in the pipe when this returns, so what was killed has told all that it knew
  Deno.stdout.writeSync(new TextEncoder().encode(`counted ${i + 1}\n`));
}
await storage.close();
