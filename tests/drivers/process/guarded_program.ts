// A launcher with one child that never ends by itself, watched through a pipe.
import { pipeGuard } from "../../../drivers/process/orphan_guard.ts";

const guard = pipeGuard();
const child = new Deno.Command("/bin/sh", { args: ["-c", "exec sleep 600"], stdin: "null" })
  .spawn();
await guard.watch(child.pid);
console.log("watching");
setInterval(() => {}, 1_000);
