import { assert, assertEquals, assertRejects } from "@std/assert";
import { basename, join } from "@std/path";
import { MpError } from "../../../runtime/errors.ts";
import { replicaCommand, servingHalf } from "../../../runtime/launch/serving_half.ts";
import { stopBundler } from "../../../runtime/script/bundler.ts";

interface Cache extends AsyncDisposable {
  readonly path: string;
}

async function temporaryCache(): Promise<Cache> {
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "mp-cache-" }));
  return {
    path,
    async [Symbol.asyncDispose]() {
      await stopBundler();
      await Deno.remove(path, { recursive: true });
    },
  };
}

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

/** Whether a module starts, and finds out that it was not told which replica it is. */
async function startsAsReplica(entry: string): Promise<boolean> {
  const { command, args } = replicaCommand(entry);
  const { code, stderr } = await new Deno.Command(command, {
    args: [...args],
    env: { MP_REPLICA: "", NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  return code === 1 && new TextDecoder().decode(stderr).includes("MP_REPLICA is not set");
}

Deno.test("servingHalf() makes a module that starts as a replica, once", async () => {
  await using cache = await temporaryCache();
  const caches = [join(cache.path, "deep", "er")];
  const made = await servingHalf({ caches });
  assert(await startsAsReplica(made.entry));
  const { mtime } = await Deno.stat(made.entry);
  assertEquals(await servingHalf({ caches }), made);
  assertEquals((await Deno.stat(made.entry)).mtime, mtime);
  // no remains of the making
  assertEquals(names(caches[0]!).length, 1);
});

Deno.test("servingHalf() keeps what is loaded lazily in files of its own", async () => {
  await using cache = await temporaryCache();
  const { entry, folder } = await servingHalf({ caches: [cache.path] });
  const code = await Deno.readTextFile(entry);
  // only what is built in is left to be imported, besides the parts
  const imported = Array.from(code.matchAll(/^import\b.*?"(.+)";$/gm), ([, from]) => from!);
  assertEquals(imported.filter((from) => !/^node:|^\.\/chunk-/.test(from)), []);
  const parts = names(folder).filter((name) => name !== "replica.js");
  const holding = parts.filter((name) =>
    Deno.readTextFileSync(join(folder, name)).includes("node_modules/prom-client") ||
    Deno.readTextFileSync(join(folder, name)).includes("prom-client/")
  );
  assertEquals(holding.length, 1, parts.join());
  assert(!code.includes("prom-client/"));
});

Deno.test("servingHalf() hides what is loaded lazily from Deno, which would read it at each start", async () => {
  await using cache = await temporaryCache();
  const { entry, folder } = await servingHalf({ caches: [cache.path] });
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--quiet", "--json", "--no-config", entry],
  }).output();
  assert(success);
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: { local?: string }[];
  };
  const seen = modules.flatMap(({ local }) => local ?? []).map((path) => basename(path));
  assert(seen.includes("replica.js"));
  const lazy = names(folder).filter((name) => name.startsWith("redis_library-"));
  assertEquals([lazy.length, seen.filter((name) => lazy.includes(name))], [1, []]);
});

Deno.test("servingHalf() makes a damaged module again", async () => {
  await using cache = await temporaryCache();
  const caches = [cache.path];
  const { entry, folder } = await servingHalf({ caches });
  const whole = await Deno.readTextFile(entry);
  const damages = [
    () => Deno.writeTextFile(entry, whole.slice(1)),
    () => Deno.remove(entry),
    () => Deno.writeTextFile(join(folder, "files.json"), "{"),
    () => Deno.writeTextFile(join(folder, "files.json"), "{}"),
    () => Deno.remove(join(folder, "files.json")),
  ];
  for (const damage of damages) {
    await damage();
    assertEquals((await servingHalf({ caches })).entry, entry);
    assertEquals(await Deno.readTextFile(entry), whole);
    assertEquals(names(cache.path).length, 1);
  }
});

Deno.test("servingHalf() does no harm when several first runs come at once", async () => {
  await using cache = await temporaryCache();
  const caches = [cache.path];
  const made = await Promise.all([1, 2, 3].map(() => servingHalf({ caches })));
  assertEquals(new Set(made.map(({ entry }) => entry)).size, 1);
  assert(await startsAsReplica(made[0]!.entry));
  assertEquals(names(cache.path).length, 1);
});

Deno.test("servingHalf() uses the next folder when one cannot be written", async () => {
  await using cache = await temporaryCache();
  const file = join(cache.path, "file");
  await Deno.writeTextFile(file, "");
  const good = join(cache.path, "good");
  const made = await servingHalf({ caches: [join(file, "cache"), good] });
  assert(made.entry.startsWith(good));
  const error = await assertRejects(() => servingHalf({ caches: [join(file, "cache")] }), MpError);
  assertEquals(error.code, "state_unwritable");
});

Deno.test({
  name: "servingHalf() runs nothing from a folder that others can write to",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using cache = await temporaryCache();
    const open = join(cache.path, "open");
    const made = await servingHalf({ caches: [open] });
    assert(made.entry.startsWith(open));
    await Deno.chmod(open, 0o777);
    const own = join(cache.path, "own");
    assert((await servingHalf({ caches: [open, own] })).entry.startsWith(own));
  },
});

Deno.test("servingHalf() removes what has not been used for a month", async () => {
  await using cache = await temporaryCache();
  const [old, recent] = ["0.0.0-old", "0.0.0-recent"].map((name) => join(cache.path, name));
  await Deno.mkdir(old!);
  await Deno.mkdir(recent!);
  const month = Date.now() / 1000 - 31 * 24 * 3600;
  await Deno.utime(old!, month, month);
  await servingHalf({ caches: [cache.path] });
  assertEquals(names(cache.path).filter((name) => name.startsWith("0.0.0")), ["0.0.0-recent"]);
});

Deno.test("servingHalf() starts no bundler when nothing has changed", async () => {
  await using cache = await temporaryCache();
  const caches = [cache.path];
  await servingHalf({ caches });
  await stopBundler();
  const { Command } = Deno;
  try {
    Deno.Command = class {
      constructor(command: string | URL) {
        throw new Error(`${command} was started`);
      }
    } as unknown as typeof Deno.Command;
    await servingHalf({ caches });
  } finally {
    Deno.Command = Command;
  }
});

Deno.test("replicaCommand() names the inspector only when it is asked for", () => {
  const { command, args } = replicaCommand("/x/replica.js", { inspect: "127.0.0.1:9229" });
  assertEquals(command, Deno.execPath());
  assertEquals(args.at(-1), "/x/replica.js");
  assert(args.includes("--inspect=127.0.0.1:9229"));
  assert(!replicaCommand("/x/replica.js").args.some((arg) => arg.startsWith("--inspect")));
});
