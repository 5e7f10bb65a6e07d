import { assertEquals } from "@std/assert";
import { labelled } from "../../../drivers/docker/names.ts";

Deno.test("labelled() keeps what has all labels, whatever the engine's filter means", () => {
  const listed = [
    { Name: "own", Labels: { "mp.app": "shop", "mp.tree": "1" } },
    { Name: "other app", Labels: { "mp.app": "other", "mp.tree": "1" } },
    { Name: "other tree", Labels: { "mp.app": "shop", "mp.tree": "2" } },
    { Name: "none", Labels: null },
  ];
  const names = (wanted: Record<string, string | undefined>) =>
    labelled(listed, wanted).map(({ Name }) => Name);
  assertEquals(names({ "mp.app": "shop", "mp.tree": "1" }), ["own"]);
  assertEquals(names({ "mp.app": "shop", "mp.tree": undefined }), ["own", "other tree"]);
  assertEquals(labelled(null, {}), []);
});
