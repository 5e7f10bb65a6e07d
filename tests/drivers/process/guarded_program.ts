// A launcher with one child that never ends by itself, watched through a pipe.
import { pipeGuard } from "../../../drivers/process/orphan_guard.ts";

const guard = pipeGuard();
const child = new Deno.Command("/bin/sh", { args: ["-c", "exec sleep 600"], stdin: "null" })
  .spawn();
guard.watch(child.pid);
// what is written first is read first: when this one is known to be dead, the other is known
console.log("watching");
setInterval(() => {}, 1_000);
