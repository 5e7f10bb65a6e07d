/**
 * The way from this machine to a door: through the API server, to a pod that is ready.
 *
 * @module
 */

import { MpError } from "../../runtime/errors.ts";
import type { Address } from "../../runtime/launch/address_book.ts";
import type { Reached } from "../../runtime/launch/driver.ts";
import { parseAddress } from "../../runtime/peer/address.ts";
import { portForward } from "./api/port_forward.ts";
import { LABEL } from "./labels.ts";
import type { KubeObject } from "./kube_object.ts";
import type { Cluster } from "./open_cluster.ts";
import { judgePod, type Pod } from "./pod_status.ts";

interface DoorService extends KubeObject {
  readonly spec?: KubeObject["spec"] & {
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly { readonly port: number; readonly targetPort: string | number }[];
  };
}

type DoorPod = Pod & {
  readonly spec?: {
    readonly containers?: readonly {
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
    }[];
  };
};

/** Opens a port of this machine that leads to a door. @throws {MpError} When no pod answers for it. */
export async function reachDoor(
  { client, namespace }: Cluster,
  door: Address,
  signal?: AbortSignal,
): Promise<Reached> {
  const at = parseAddress(door);
  if (at.transport !== "tcp") throw new TypeError(`Cannot reach ${door}: it is no port`);
  const cannot = (why: string, next: string) =>
    new MpError("cluster_unavailable", `Cannot reach ${at.hostname}:${at.port}: ${why}`, { next });
  const find = async (): Promise<{ name: string; port: number }> => {
    const service = await client.get<DoorService>({
      apiVersion: "v1",
      kind: "Service",
      name: at.hostname,
      namespace,
    }, signal);
    const { selector, ports = [] } = service?.spec ?? {};
    if (!selector?.[LABEL.app]) {
      throw cannot(
        `there is no such Service in namespace "${namespace}"`,
        "Choose where it runs with --context and --namespace; mp ps tells what runs",
      );
    }
    const { items } = await client.list<DoorPod>({ apiVersion: "v1", kind: "Pod" }, {
      namespace,
      labels: selector,
      signal,
    });
    const pod = items.find((one) => judgePod(one).state === "ready");
    if (pod === undefined) {
      throw cannot(`none of its ${items.length} pods is ready`, "See mp ps, and wait until it is");
    }
    const target = ports.find(({ port }) => port === at.port)?.targetPort ?? ports[0]?.targetPort;
    const named = pod.spec?.containers?.[0]?.ports?.find(({ name }) => name === target);
    return { name: pod.metadata.name, port: named?.containerPort ?? Number(target) };
  };
  try {
    const { port } = await find();
    const forward = await portForward(client.connection, {
      namespace,
      port,
      pod: async () => (await find()).name,
    });
    return {
      address: forward.address,
      async [Symbol.asyncDispose]() {
        await forward[Symbol.asyncDispose]();
        client.close();
      },
    };
  } catch (error) {
    client.close();
    throw error;
  }
}
