/**
 * Which traces are kept, by `OTEL_TRACES_SAMPLER`.
 *
 * @module
 */

import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import type { ReadEnv } from "../../user_folders.ts";

/** Reads the variables that all of OpenTelemetry's SDKs have. Unless they say otherwise, all traces are kept. */
export function readSampler(env: ReadEnv): Sampler {
  const name = env("OTEL_TRACES_SAMPLER") ?? "parentbased_always_on";
  const based = /^parentbased_(.+)$/.exec(name)?.[1];
  const root = rootSampler(based ?? name, env("OTEL_TRACES_SAMPLER_ARG"));
  return based === undefined ? root : new ParentBasedSampler({ root });
}

function rootSampler(name: string, argument: string | undefined): Sampler {
  switch (name) {
    case "always_off":
      return new AlwaysOffSampler();
    case "traceidratio": {
      const ratio = Number(argument ?? 1);
      return new TraceIdRatioBasedSampler(ratio >= 0 && ratio <= 1 ? ratio : 1);
    }
    default:
      return new AlwaysOnSampler();
  }
}
