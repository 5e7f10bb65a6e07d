/**
 * The counters in Prometheus's text format.
 *
 * @module
 */

import type { Metric, MetricObjectWithValues, MetricValue } from "prom-client";
import { BUCKETS, type MethodMetrics, type RpcMetrics } from "./metrics.ts";
import { addCallMetrics } from "./call_metrics.ts";
import { addProcessMetrics } from "./process_metrics.ts";

type PromClient = typeof import("prom-client");

/** Text that Prometheus reads. */
export interface Exposition {
  readonly contentType: string;
  text(): Promise<string>;
}

/**
 * Exposes the counters of an endpoint, and some of the process. Nothing is copied until the text is
 * asked for.
 *
 * Loads prom-client, which nobody may ever need.
 */
export async function prometheus(metrics: RpcMetrics): Promise<Exposition> {
  const loaded: PromClient & { default?: PromClient } = await import("prom-client");
  // in a bundle, a package in CommonJS has its exports under `default` alone
  const client = loaded.default ?? loaded;
  const { Counter, Gauge, Registry } = client;
  const registry = new Registry();
  const registers = [registry];
  new Counter({
    name: "mp_rpc_requests_total",
    help: "Calls answered, by method.",
    labelNames: ["method"],
    registers,
    collect() {
      this.reset();
      for (const { name, answered } of metrics) this.inc({ method: name }, answered);
    },
  });
  new Counter({
    name: "mp_rpc_errors_total",
    help: "Calls answered with an error, by method and code.",
    labelNames: ["method", "code"],
    registers,
    collect() {
      this.reset();
      for (const { name, errors } of metrics) {
        for (const [code, count] of errors) this.inc({ method: name, code }, count);
      }
    },
  });
  new Counter({
    name: "mp_rpc_refused_total",
    help: "Bodies and calls refused before a method was called, by code.",
    labelNames: ["code"],
    registers,
    collect() {
      this.reset();
      for (const [code, count] of metrics.refused) this.inc({ code }, count);
    },
  });
  new Gauge({
    name: "mp_rpc_requests_in_flight",
    help: "Calls being answered, by method.",
    labelNames: ["method"],
    registers,
    collect() {
      for (const { name, inFlight } of metrics) this.set({ method: name }, inFlight);
    },
  });
  addCallMetrics(client, registry, metrics);
  registry.registerMetric(durations(metrics));
  addProcessMetrics(client, registry);
  return { contentType: registry.contentType, text: () => registry.metrics() };
}

/** prom-client's own histogram cannot be filled with counts, only with one observation after another. */
function durations(metrics: RpcMetrics): Metric {
  const name = "mp_rpc_request_duration_seconds";
  const description = {
    name,
    help: "Time from the decoded call to its reply, by method, in seconds.",
    type: "histogram" as unknown as MetricObjectWithValues<MetricValue<string>>["type"],
    aggregator: "sum" as const,
  };
  return {
    ...description,
    get: () =>
      Promise.resolve({
        ...description,
        values: [...metrics].flatMap((method) => histogram(name, method)),
      }),
  } as unknown as Metric;
}

function histogram(name: string, { name: method, buckets, total, answered }: MethodMetrics) {
  let sum = 0;
  const counts = buckets.map((count, i) => ({
    metricName: `${name}_bucket`,
    labels: { method, le: i < BUCKETS.length ? BUCKETS[i]! / 1000 : "+Inf" },
    value: sum += count,
  }));
  return [
    ...counts,
    { metricName: `${name}_sum`, labels: { method }, value: total / 1000 },
    { metricName: `${name}_count`, labels: { method }, value: answered },
  ];
}
