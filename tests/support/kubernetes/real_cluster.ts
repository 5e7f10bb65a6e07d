/**
 * A cluster that is there: `MP_TEST_KUBECONFIG` names its kubeconfig, and `MP_TEST_IMAGE` an image that it has,
 * with `mp` as its entry point.
 *
 * @module
 */

import { statusOf } from "../../../drivers/kubernetes/api/api_error.ts";
import type { KubeClient } from "../../../drivers/kubernetes/api/kube_client.ts";
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

/** What the driver suite needs of it: a namespace of its own, in which pods must be `restricted` ones. */
export async function realCluster(): Promise<DriverUnderTest> {
  const image = Deno.env.get("MP_TEST_IMAGE");
  if (image === undefined) {
    throw new Error("MP_TEST_IMAGE is not set: name an image that the cluster has");
  }
  const made = await makeNamespace();
  const env = (name: string): string | undefined =>
    name === "KUBECONFIG" ? kubeconfig() : name === "MP_NAMESPACE" ? made : undefined;
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
    [Symbol.asyncDispose]: () => removeNamespace(made),
  };
}

function kubeconfig(): string | undefined {
  return Deno.env.get("MP_TEST_KUBECONFIG");
}

/** @returns Its name; nothing where the user may not make any, so that the context's is used. */
async function makeNamespace(): Promise<string | undefined> {
  const name = `mp-test-${crypto.randomUUID().slice(0, 8)}`;
  return await withCluster(async (client) => {
    try {
      await client.json(`make namespace "${name}"`, {
        method: "POST",
        path: "/api/v1/namespaces",
        contentType: "application/json",
        body: JSON.stringify({
          apiVersion: "v1",
          kind: "Namespace",
          metadata: { name, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
        }),
      });
      return name;
    } catch (error) {
      if (statusOf(error) === 403) return undefined;
      throw error;
    }
  });
}

/** The cluster goes on removing it by itself; nothing is in it any more. */
async function removeNamespace(name: string | undefined): Promise<void> {
  if (name === undefined) return;
  await withCluster((client) =>
    client.json(`remove namespace "${name}"`, {
      method: "DELETE",
      path: `/api/v1/namespaces/${name}`,
    })
  );
}

async function withCluster<T>(use: (client: KubeClient) => Promise<T>): Promise<T> {
  const { client } = openCluster({}, (name) => name === "KUBECONFIG" ? kubeconfig() : undefined);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}
