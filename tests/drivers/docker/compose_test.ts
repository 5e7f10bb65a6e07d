import { assert, assertEquals } from "@std/assert";
import { composeText } from "../../../drivers/docker/compose.ts";
import { needsProgram, testWith } from "../../support/needs.ts";
import { manifestOf } from "./fixtures.ts";

const image = { tag: "shop:abc", command: ["/mp/mp", "__replica"] };

Deno.test("composeText() is the same for the same manifest, and keeps no dollar from the script", async () => {
  const manifest = await manifestOf({ env: { PRICE: "$5 ${X}" } });
  const text = composeText(manifest, image);
  assertEquals(text, composeText(await manifestOf({ env: { PRICE: "$5 ${X}" } }), image));
  assert(text.includes('PRICE: "$$5 $${X}"'), text);
});

testWith(
  needsProgram("docker-compose", "apt-get install docker-compose"),
  "composeText() is valid for docker compose config",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "mp-" });
    try {
      const manifest = await manifestOf({ env: { TEXT: 'a "b" \\ $c\nnew line' } });
      await Deno.writeTextFile(`${folder}/compose.yaml`, composeText(manifest, image));
      const { success, stdout, stderr } = await new Deno.Command("docker-compose", {
        args: ["-f", "compose.yaml", "config"],
        cwd: folder,
      }).output();
      const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      assert(success, err);
      for (
        const wanted of [
          "container_name: shop.hist.scatter.1",
          "MP_REPLICA: hist.scatter.1",
          "read_only: true",
          "mem_limit: 64m",
          "- 127.0.0.1:3000:3000/tcp",
          "data:/app/.mp",
        ]
      ) assert(out!.includes(wanted), `${wanted} is not in\n${out}`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
