import { assertEquals } from "@std/assert";
import { pipeGuard } from "../../../drivers/process/orphan_guard.ts";

const onUnix = Deno.build.os !== "windows";

function sleeper(): Deno.ChildProcess {
  return new Deno.Command("/bin/sh", { args: ["-c", "exec sleep 600"], stdin: "null" }).spawn();
}

Deno.test({
  name: "pipeGuard() kills what it was told to watch, and not to forget, when its pipe ends",
  ignore: !onUnix,
  async fn() {
    const guard = pipeGuard();
    const [a, b, c] = [sleeper(), sleeper(), sleeper()];
    for (const { pid } of [a, b, c]) guard.watch(pid);
    guard.forget(b.pid);
    await guard.close();
    assertEquals((await a.status).signal, "SIGKILL");
    assertEquals((await c.status).signal, "SIGKILL");
    b.kill("SIGTERM");
    assertEquals((await b.status).signal, "SIGTERM");
  },
});

Deno.test({
  name: "pipeGuard() kills nothing when nothing is left",
  ignore: !onUnix,
  async fn() {
    const guard = pipeGuard();
    const child = sleeper();
    guard.watch(child.pid);
    guard.forget(child.pid);
    await guard.close();
    child.kill("SIGTERM");
    assertEquals((await child.status).signal, "SIGTERM");
  },
});

Deno.test({
  name: "pipeGuard() outlives a launcher that is killed for as long as it takes",
  ignore: !onUnix,
  async fn() {
    const program = new URL("./guarded_program.ts", import.meta.url).pathname;
    const launcher = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--unstable-net", program],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    // the child inherits stdout: it ends when both have ended
    const reader = launcher.stdout.getReader();
    assertEquals(new TextDecoder().decode((await reader.read()).value), "watching\n");
    launcher.kill("SIGKILL");
    assertEquals((await reader.read()).done, true);
    await launcher.status;
  },
});
