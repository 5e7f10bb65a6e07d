/**
 * What a replica counts of the calls that it makes, and of those that it has no time for, for Prometheus.
 *
 * @module
 */

import type { Registry } from "prom-client";
import type { PartCounters, RpcMetrics } from "./metrics.ts";

type PromClient = typeof import("prom-client");

/** Adds the counters to a registry. */
export function addCallMetrics(client: PromClient, registry: Registry, metrics: RpcMetrics): void {
  const { Counter, Gauge } = client;
  const registers = [registry];
  const byPath = (name: string, help: string, count: (counters: PartCounters) => number) =>
    new Counter({
      name,
      help,
      labelNames: ["path"],
      registers,
      collect() {
        this.reset();
        for (const [path, counters] of metrics.parts) this.inc({ path }, count(counters));
      },
    });
  byPath(
    "mp_call_retries_total",
    "Calls made once more, since they could not be answered, by the path that is called.",
    ({ retries }) => retries,
  );
  byPath(
    "mp_call_hedges_total",
    "Calls made on a second replica, since they had no answer yet, by the path that is called.",
    ({ hedges }) => hedges,
  );
  byPath(
    "mp_call_hedges_won_total",
    "Hedged calls that the second replica answered first, by the path that is called.",
    ({ hedgesWon }) => hedgesWon,
  );
  new Counter({
    name: "mp_replica_ejections_total",
    help: "How often a replica was left out, by path and why.",
    labelNames: ["path", "why"],
    registers,
    collect() {
      this.reset();
      for (const [path, { leftOut }] of metrics.parts) {
        for (const [why, count] of Object.entries(leftOut)) this.inc({ path, why }, count);
      }
    },
  });
  new Counter({
    name: "mp_calls_shed_total",
    help: "Calls refused as overloaded, since the replica had more than it can do.",
    registers,
    collect() {
      this.reset();
      this.inc(metrics.shed);
    },
  });
  new Gauge({
    name: "mp_calls_queued",
    help: "Calls that wait for their turn.",
    registers,
    collect() {
      this.set(metrics.queued);
    },
  });
  new Gauge({
    name: "mp_connections",
    help: "Open connections to other replicas, by who calls over them.",
    labelNames: ["direction"],
    registers,
    collect() {
      const open = metrics.connections?.() ?? { outbound: 0, inbound: 0 };
      for (const [direction, count] of Object.entries(open)) this.set({ direction }, count);
    },
  });
  if (metrics.doorConnections === undefined) return;
  new Gauge({
    name: "mp_door_connections",
    help: "Open connections of callers at this replica's doors.",
    registers,
    collect() {
      this.set(metrics.doorConnections?.() ?? 0);
    },
  });
}
