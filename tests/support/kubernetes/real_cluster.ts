/**
 * A cluster that is there: `MP_TEST_KUBECONFIG` names its kubeconfig, and `MP_TEST_IMAGE` an image that it has,
 * with `mp` as its entry point.
 *
 * @module
 */

import { AppObjects } from "../../../drivers/kubernetes/app_objects.ts";
import { kubernetesDriver } from "../../../drivers/kubernetes/driver.ts";
import { LABEL } from "../../../drivers/kubernetes/labels.ts";
import { openCluster } from "../../../drivers/kubernetes/open_cluster.ts";
import { handleOf } from "../../../runtime/launch/deployed.ts";
import { callDoor, type DriverUnderTest } from "../../conformance/driver/stage.ts";

/** Cases of the suite that pods cannot be asked for, and why. */
export const SKIPPED = {
  "refuses a port that is in use, and leaves nothing": "a Service has an address of its own",
  "hands on what replicas print, with their names": "pods do not tell stderr from stdout",
};

const POD = { apiVersion: "v1", kind: "Pod" };

/** What the driver suite needs of it. */
export function realCluster(): DriverUnderTest {
  const env = (name: string): string | undefined =>
    name === "KUBECONFIG" ? Deno.env.get("MP_TEST_KUBECONFIG") : undefined;
  const image = Deno.env.get("MP_TEST_IMAGE");
  if (image === undefined) {
    throw new Error("MP_TEST_IMAGE is not set: name an image that the cluster has");
  }
  const driver = kubernetesDriver({ env });
  return {
    driver,
    settings: { image },
    async left(app) {
      const { client, namespace } = openCluster({}, env);
      try {
        const objects = await new AppObjects({ client, namespace, app }).list();
        const pods = await client.list(POD, { namespace, labels: { [LABEL.app]: app } });
        return [...objects, ...pods.items].map(({ kind, metadata }) => `${kind}/${metadata.name}`);
      } finally {
        client.close();
      }
    },
    // as mp client does: by a port that leads to a pod
    async call(deployed, service, params) {
      const [door] = deployed.book.doors;
      await using reached = await driver.reach(handleOf(deployed), door!.address);
      return await callDoor(
        { book: { ...deployed.book, doors: [{ ...door!, address: reached.address }] } },
        service,
        params,
      );
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
