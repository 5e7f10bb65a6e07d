import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { filesOfPlan } from "../../../runtime/topology/files.ts";
import { boundApi } from "./bound_api.ts";

/** A folder with a file in it. */
async function withFolder(body: (folder: string) => void | Promise<void>) {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  await Deno.mkdir(`${folder}/data`);
  await Deno.writeTextFile(`${folder}/data/words.txt`, "one");
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const planning = (folder: string) => boundApi({ auth: { folder, env: {}, eager: true } });

Deno.test("ScriptApi.files() takes what is below the folder of the script, and returns its path", async () => {
  await withFolder((folder) => {
    const { mp, topology } = planning(folder);
    assertEquals(mp.files(`${folder}/data`), `${folder}/data`);
    assertEquals(mp.files(new URL(`file://${folder}/data/words.txt`)), `${folder}/data/words.txt`);
    assertEquals(filesOfPlan(topology.files, folder).map(({ path }) => path), [
      "data",
      "data/words.txt",
    ]);
  });
});

Deno.test("ScriptApi.files() refuses what is elsewhere, not there, or no path", async () => {
  await withFolder((folder) => {
    const { mp } = planning(`${folder}/data`);
    assertThrows(() => mp.files("data"), TypeError, '"data" is no absolute path');
    assertThrows(() => mp.files(7 as unknown as string), TypeError, "7 is no absolute path");
    for (const path of [folder, `${folder}/data`, "/etc/passwd"]) {
      assertThrows(() => mp.files(path), MpError, "it is not below the folder of the script");
    }
    assertThrows(() => mp.files(`${folder}/data/none`), MpError, "it is not there");
    // a replica has its files somewhere else, or looks for itself
    const replica = boundApi({ auth: { folder, env: {}, eager: false } });
    assertEquals(replica.mp.files(`${folder}/none`), `${folder}/none`);
  });
});

Deno.test("filesOfPlan() changes when a file does", async () => {
  await withFolder(async (folder) => {
    const before = filesOfPlan([`${folder}/data`], folder);
    assertEquals(filesOfPlan([`${folder}/data`], folder), before);
    await Deno.writeTextFile(`${folder}/data/words.txt`, "another");
    assertNotEquals(filesOfPlan([`${folder}/data`], folder), before);
  });
});
