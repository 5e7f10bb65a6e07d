import { assertEquals } from "@std/assert";
import { stopBundler, warmUpBundler, withBundler } from "../../../runtime/script/bundler.ts";

const build = () => withBundler(async (esbuild) => (await esbuild.transform("let a  = 1")).code);

/** The processes that this one has started, from whichever thread. */
async function children(): Promise<number[]> {
  const pids: number[] = [];
  for (const { name } of Deno.readDirSync(`/proc/${Deno.pid}/task`)) {
    const text = await Deno.readTextFile(`/proc/${Deno.pid}/task/${name}/children`);
    pids.push(...text.trim().split(" ").filter(Boolean).map(Number));
  }
  return pids;
}

Deno.test("stopBundler() waits for builds that are under way, and the next build starts anew", async () => {
  const [code] = await Promise.all([build(), stopBundler()]);
  assertEquals(code, "let a = 1;\n");
  assertEquals(await build(), code);
  await stopBundler();
  await stopBundler();
});

Deno.test("warmUpBundler() starts the service that builds share", async () => {
  await warmUpBundler();
  await Promise.all([build(), build()]);
  await stopBundler();
});

Deno.test({
  name: "withBundler() starts the service again when it was killed",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const before = await children();
    await warmUpBundler();
    const [service] = (await children()).filter((pid) => !before.includes(pid));
    Deno.kill(service!, "SIGKILL");
    while ((await children()).includes(service!)) await warmUpBundler().catch(() => {});
    assertEquals(await build(), "let a = 1;\n");
    await stopBundler();
  },
});
