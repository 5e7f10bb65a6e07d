import { assertEquals, assertRejects } from "@std/assert";
import { removeStaleFolders } from "../../../drivers/process/tree_folder.ts";

Deno.test({
  name: "removeStaleFolders() removes what killed launchers left, and nothing else",
  ignore: Deno.build.os === "windows",
  async fn() {
    const parent = await Deno.makeTempDir();
    const make = async (name: string) => {
      await Deno.mkdir(`${parent}/${name}`);
      return Deno.listen({ transport: "unix", path: `${parent}/${name}/s` });
    };
    const dead = ["mp-tree-dead", "mp-tree-new", "other-dead"];
    for (const name of dead) {
      // closing removes the file by its name, as a process that is killed does not
      using _listener = await make(name);
      await Deno.rename(`${parent}/${name}/s`, `${parent}/${name}/kept`);
    }
    const live = await make("mp-tree-live");
    for (const name of dead) {
      await Deno.rename(`${parent}/${name}/kept`, `${parent}/${name}/s`);
    }
    for (const name of ["mp-tree-dead", "mp-tree-live", "other-dead"]) {
      await Deno.utime(`${parent}/${name}/s`, new Date(0), new Date(0));
    }
    await Deno.mkdir(`${parent}/mp-tree-starting`);
    await removeStaleFolders(`${parent}/mp-tree-own`);
    const names = (await Array.fromAsync(Deno.readDir(parent))).map(({ name }) => name).sort();
    assertEquals(names, ["mp-tree-live", "mp-tree-new", "mp-tree-starting", "other-dead"]);
    live.close();
    await Deno.remove(parent, { recursive: true });
    await assertRejects(() => removeStaleFolders(`${parent}/mp-tree-own`), Deno.errors.NotFound);
  },
});
