import { assertEquals } from "@std/assert";
import { isRunning, ownProcess } from "../../../runtime/launch/process_identity.ts";

Deno.test("isRunning() knows this process", async () => {
  assertEquals(await isRunning(await ownProcess()), true);
});

Deno.test("isRunning() is not deceived by another process with the same id", async () => {
  const { pid, started } = await ownProcess();
  if (started === "") return; // the system does not tell, so that every process is taken to run
  assertEquals(await isRunning({ pid, started: `${started}0` }), false);
});

Deno.test("isRunning() tells when a process has ended", async () => {
  const child = new Deno.Command(Deno.execPath(), { args: ["eval", ""], stdout: "null" }).spawn();
  await child.status;
  const { started } = await ownProcess();
  if (started === "") return;
  assertEquals(await isRunning({ pid: child.pid, started }), false);
});
