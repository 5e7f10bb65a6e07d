/**
 * The series of the benchmark.
 *
 * @module
 */

import { load } from "../load.ts";
import { memoryOf, ROOT, runTopology } from "../processes.ts";
import { timeToAnswer } from "../rows/start.ts";
import type { Figure, Series } from "./series.ts";

const THROUGHPUT: Figure = { name: "throughput", unit: "requests/s" };
const LATENCY: Figure = { name: "median latency", unit: "ms" };
const HISTOGRAM = { script: `${ROOT}examples/histogram.ts`, method: "histogram-service" };
const DOCUMENTS = { script: `${ROOT}scripts/bench/topologies/documents.ts`, method: "change" };

/** Leaves of a scatter. */
const leaves: Series = {
  name: "leaves",
  title: "scatter, 32 callers",
  size: "leaves",
  sizes: [1, 10, 50, 100],
  figures: [THROUGHPUT, { ...LATENCY, name: "median latency of one caller" }],
  async measure(size) {
    const { script, method } = HISTOGRAM;
    const options = ["--replicas", `${method}.scatter=${size}`];
    await using served = await runTopology(script, options);
    return await loads(served.url, method);
  },
};

/** Callers of one topology. */
const callers: Series = {
  name: "callers",
  title: "scatter over 10 leaves",
  size: "callers",
  sizes: [1, 4, 16, 64, 256],
  figures: [THROUGHPUT, LATENCY],
  async measure(size) {
    const { script, method } = HISTOGRAM;
    await using served = await runTopology(script);
    const at = { url: served.url, method, connections: size };
    await load({ ...at, seconds: 1 });
    const { requestsPerSecond, latency } = await load(at);
    return [requestsPerSecond, latency];
  },
};

/** Bytes of a document that each call changes. */
const documents: Series = {
  name: "documents",
  title: "one scope changed by each call, storage `file`, 32 callers",
  size: "bytes of the document",
  sizes: [1_000, 10_000, 100_000, 1_000_000],
  figures: [THROUGHPUT, { ...LATENCY, name: "median latency of one caller" }],
  async measure(size) {
    const { script, method } = DOCUMENTS;
    await using served = await runTopology(script, ["--env", `DOCUMENT_SIZE=${size}`]);
    return await loads(served.url, method);
  },
};

/** Scopes that calls change by turns. */
const scopes: Series = {
  name: "scopes",
  title: "scopes changed by turns, storage `file`, 32 callers",
  size: "scopes",
  sizes: [1, 10, 100, 1_000, 10_000, 100_000],
  figures: [THROUGHPUT, { name: "memory of the deployment", unit: "MiB" }],
  async measure(size) {
    const { script, method } = DOCUMENTS;
    await using served = await runTopology(script, ["--env", `DOCUMENTS=${size}`]);
    const at = { url: served.url, method, connections: 32 };
    // until each has been made
    for (let made = 0; made < size;) {
      made += (await load({ ...at, seconds: 2 })).requestsPerSecond * 2;
    }
    const { requestsPerSecond } = await load(at);
    return [requestsPerSecond, memoryOf(served.pid)];
  },
};

/** Replicas that are started at once. */
const replicas: Series = {
  name: "replicas",
  title: "start of a deployment",
  size: "replicas",
  sizes: [10, 50, 100, 200],
  figures: [
    { name: "time to the first answer", unit: "ms" },
    { name: "memory of the deployment", unit: "MiB" },
  ],
  async measure(size) {
    const { script, method } = HISTOGRAM;
    const elapsed = await timeToAnswer(size - 1);
    const options = ["--replicas", `${method}.scatter=${size - 1}`];
    await using served = await runTopology(script, options);
    return [elapsed, memoryOf(served.pid)];
  },
};

/** Requests per second of 32 callers, and the median latency of one. */
async function loads(url: string, method: string): Promise<readonly number[]> {
  await load({ url, method, connections: 32, seconds: 1 });
  const { requestsPerSecond } = await load({ url, method, connections: 32 });
  const { latency } = await load({ url, method, connections: 1 });
  return [requestsPerSecond, latency];
}

/** In the order in which they are shown. */
export const SERIES: readonly Series[] = [leaves, callers, documents, scopes, replicas];
