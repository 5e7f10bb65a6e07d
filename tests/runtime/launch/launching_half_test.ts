import { assert, assertEquals, assertMatch } from "@std/assert";
import { dirname, fromFileUrl, join, toFileUrl } from "@std/path";
import { keepLaunchingHalf } from "../../../runtime/launch/keep_launching_half.ts";
import { launchingHalf } from "../../../runtime/launch/launching_half.ts";
import { servingHalf } from "../../../runtime/launch/serving_half.ts";
import { stopBundler } from "../../../runtime/script/bundler.ts";

const ROOT = fromFileUrl(new URL("../../../", import.meta.url));

/** A folder for what is made, and the module made in it. */
async function made() {
  const cache = await Deno.realPath(await Deno.makeTempDir({ prefix: "mp-cache-" }));
  const caches = [join(cache, "half")];
  await servingHalf();
  const kept = await keepLaunchingHalf({ caches });
  return {
    caches,
    kept,
    async [Symbol.asyncDispose]() {
      await stopBundler();
      await Deno.remove(cache, { recursive: true });
    },
  };
}

/** Runs a module that gets the launching half as `half`. */
async function runWith(path: string, code: string) {
  const module = `const half = await import(${JSON.stringify(toFileUrl(path).href)});\n${code}`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", "--no-lock", module],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("keepLaunchingHalf() makes what launchingHalf() finds", async () => {
  await using half = await made();
  assert(half.kept);
  const path = (await launchingHalf(half))!;
  assert(path.startsWith(half.caches[0]!));
  // nothing but its own parts is imported, and nothing but that is left of the making
  const names = [...Deno.readDirSync(half.caches[0]!)].map(({ name }) => name);
  assertEquals(names.length, 1);
  const { stdout, stderr } = await runWith(path, `await half.main(["version"]);`);
  assertMatch(stdout, /^mp \d/, stderr);
});

Deno.test("launchingHalf() knows the source tree and its own serving half", async () => {
  await using half = await made();
  const path = (await launchingHalf(half))!;
  const text = Array.from(Deno.readDirSync(dirname(path)))
    .filter(({ name }) => name.endsWith(".js"))
    .map(({ name }) => Deno.readTextFileSync(join(dirname(path), name))).join("\n");
  assert(text.includes(`tree: ${JSON.stringify(toFileUrl(ROOT).href)}`));
  assert(text.includes(`servingHalf: ${JSON.stringify((await servingHalf()).folder)}`));
});

Deno.test("launchingHalf() shows lines of the source tree in stack traces", async () => {
  await using half = await made();
  const { stdout, stderr } = await runWith(
    (await launchingHalf(half))!,
    `try { await half.direct("no URL", []); } catch (error) { console.log(error.stack); }`,
  );
  const [, line] = /main\.ts:(\d+):\d+/.exec(stdout) ?? [];
  assert(line, `${stdout}${stderr}`);
  const source = Deno.readTextFileSync(join(ROOT, "main.ts")).split("\n")[Number(line) - 1];
  assertMatch(source!, /fileURLToPath\(script\)/);
  assert(stdout.includes(toFileUrl(join(ROOT, "main.ts")).href), stdout);
});

Deno.test("launchingHalf() finds nothing that is damaged, of other sources, or open to others", async () => {
  await using half = await made();
  const path = (await launchingHalf(half))!;
  const [name] = Array.from(Deno.readDirSync(dirname(path)), ({ name }) => name)
    .filter((name) => name.startsWith("chunk-") && name.endsWith(".js"));
  const part = join(dirname(path), name!);
  const whole = Deno.readTextFileSync(part);
  await Deno.writeTextFile(part, `${whole} `);
  assertEquals(await launchingHalf(half), undefined);
  await Deno.writeTextFile(part, whole);
  assertEquals(await launchingHalf(half), path);
  if (Deno.build.os !== "windows") {
    await Deno.chmod(half.caches[0]!, 0o777);
    assertEquals(await launchingHalf(half), undefined);
    await Deno.chmod(half.caches[0]!, 0o700);
  }
  await Deno.rename(dirname(path), `${dirname(path)}-of-others`);
  assertEquals(await launchingHalf(half), undefined);
});

Deno.test("keepLaunchingHalf() stops nobody where it can be kept nowhere", async () => {
  const file = await Deno.makeTempFile();
  await servingHalf();
  assertEquals(await keepLaunchingHalf({ caches: [join(file, "cache")] }), false);
  await stopBundler();
  await Deno.remove(file);
});
