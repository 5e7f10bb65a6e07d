/**
 * Metrics of the process, by the names that Prometheus's client libraries share. Those of prom-client
 * itself are made for Node: some are always zero in Deno, and three have names that promtool refuses.
 *
 * @module
 */

import process from "node:process";
import type { Registry } from "prom-client";

const MICRO = 1e-6;

/** What is used of prom-client. */
type PromClient = Pick<typeof import("prom-client"), "Counter" | "Gauge">;

/** Adds the process's metrics to a registry. */
export function addProcessMetrics({ Counter, Gauge }: PromClient, registry: Registry): void {
  const registers = [registry];
  new Counter({
    name: "process_cpu_seconds_total",
    help: "User and system CPU time spent, in seconds.",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) * MICRO);
    },
  });
  new Gauge({
    name: "process_start_time_seconds",
    help: "Start of the process, in seconds since the epoch.",
    registers,
  }).set(performance.timeOrigin / 1000);
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory, in bytes.",
    registers,
    collect() {
      this.set(Deno.memoryUsage().rss);
    },
  });
  new Gauge({
    name: "process_heap_bytes",
    help: "JavaScript heap in use, in bytes.",
    registers,
    collect() {
      this.set(Deno.memoryUsage().heapUsed);
    },
  });
  if (Deno.build.os !== "linux") return;
  new Gauge({
    name: "process_open_fds",
    help: "Open file descriptors.",
    registers,
    collect() {
      this.set(openFiles());
    },
  });
}

function openFiles(): number {
  let count = 0;
  for (const _ of Deno.readDirSync("/proc/self/fd")) count++;
  // one of them is that of the folder itself
  return count - 1;
}
