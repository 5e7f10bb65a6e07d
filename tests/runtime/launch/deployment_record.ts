/**
 * Records of deployments for tests.
 *
 * @module
 */

import { ownProcess } from "../../../runtime/launch/process_identity.ts";
import type { DeploymentRecord } from "../../../runtime/launch/state.ts";
import { histogramPlan } from "../cli/sample_plan.ts";

/** The record of a deployment whose launcher is this process. */
export async function sampleRecord(sockets: string): Promise<DeploymentRecord> {
  return {
    handle: {
      app: "histogram",
      driver: "process",
      script: "/scripts/histogram.ts",
      revision: histogramPlan.revision,
      doors: [{ address: "tcp:127.0.0.1:3000", methods: ["histogram"] }],
      created: "2025-01-31T12:00:00Z",
    },
    plan: histogramPlan,
    version: "0.0.0",
    launcher: await ownProcess(),
    control: { address: "unix:/nowhere", secret: "s" },
    sockets,
  };
}
