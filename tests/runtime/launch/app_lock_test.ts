import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { tryAppLock } from "../../../runtime/launch/app_lock.ts";

async function temporaryFolder() {
  const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
  return {
    path: join(folder, "lock"),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

const APP_LOCK = new URL("../../../runtime/launch/app_lock.ts", import.meta.url).href;

/** A process that takes a lock, says so, and holds it until it is killed. */
async function holder(path: string) {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--no-config",
      `import { tryAppLock } from ${JSON.stringify(APP_LOCK)};
       const lock = await tryAppLock(${JSON.stringify(path)});
       console.log(lock ? "held" : "busy");
       setInterval(() => {}, 1000);`,
    ],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  return {
    said: new TextDecoder().decode(value).trim(),
    async kill() {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    },
  };
}

Deno.test("tryAppLock() gives the lock to one at a time", async () => {
  await using folder = await temporaryFolder();
  const first = await tryAppLock(folder.path);
  assert(first);
  assertEquals(await tryAppLock(folder.path), undefined);
  first.release();
  first.release();
  const second = await tryAppLock(folder.path);
  assert(second);
  second.release();
});

Deno.test("tryAppLock() gets the lock of a process that was killed", async () => {
  await using folder = await temporaryFolder();
  const other = await holder(folder.path);
  assertEquals(other.said, "held");
  assertEquals(await tryAppLock(folder.path), undefined);
  await other.kill();
  const lock = await tryAppLock(folder.path);
  assert(lock);
  lock.release();
});

Deno.test("tryAppLock() is not deceived by a lock file that was removed", async () => {
  await using folder = await temporaryFolder();
  const old = await tryAppLock(folder.path);
  await Deno.remove(folder.path);
  const fresh = await tryAppLock(folder.path);
  assert(old && fresh);
  assertEquals(await tryAppLock(folder.path), undefined);
  old.release();
  assertEquals(await tryAppLock(folder.path), undefined);
  fresh.release();
});
