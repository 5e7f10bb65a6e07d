/**
 * What the Engine API is told to create a container. Pure.
 *
 * @module
 */

import type { ContainerSpec, DockerManifest } from "./manifest.ts";
import { PLACES, USER } from "./manifest.ts";

/** The image of replicas, and how they are started in it. */
export interface RunnableImage {
  readonly tag: string;
  readonly command: readonly string[];
}

const SECOND = 1_000_000_000;
const MIB = 1024 * 1024;

/** How often an engine looks whether a replica accepts, and so on, in seconds. */
export const HEALTH = Object.freeze({ interval: 30, timeout: 10, startPeriod: 60, retries: 3 });

/** Variables of every container. Nothing can be written but `/tmp`, and nothing is to be fetched. */
export const CONTAINER_ENV: Readonly<Record<string, string>> = Object.freeze({
  HOME: "/tmp",
  DENO_NO_UPDATE_CHECK: "1",
  NO_COLOR: "1",
  SSL_CERT_FILE: "/etc/ssl/certs/ca-certificates.crt",
  DENO_TLS_CA_STORE: "mozilla,system",
});

/** The body of `POST /containers/create`. */
export function containerBody(
  { network }: Pick<DockerManifest, "network">,
  spec: ContainerSpec,
  { image, grace, init }: { image: RunnableImage; grace: number; init: boolean },
) {
  const { env, labels, ports, resources: { cpu, memory }, volumes, host } = spec;
  const portKey = (inside: number) => `${inside}/tcp`;
  return {
    Image: image.tag,
    Cmd: image.command,
    Env: Object.entries({ ...CONTAINER_ENV, ...env, MP_GRACE: String(grace) })
      .map(([name, value]) => `${name}=${value}`),
    Labels: labels,
    User: `${USER}:${USER}`,
    WorkingDir: PLACES.app,
    StopSignal: "SIGTERM",
    // it ends by itself in time, unless it hangs
    StopTimeout: Math.ceil(grace / 1000) + 1,
    Healthcheck: {
      Test: ["CMD", ...image.command, "probe"],
      Interval: HEALTH.interval * SECOND,
      Timeout: HEALTH.timeout * SECOND,
      StartPeriod: HEALTH.startPeriod * SECOND,
      Retries: HEALTH.retries,
    },
    ExposedPorts: Object.fromEntries(ports.map(({ inside }) => [portKey(inside), {}])),
    HostConfig: {
      NetworkMode: network.name,
      PortBindings: Object.fromEntries(
        ports.map(({ inside, host, port }) => [
          portKey(inside),
          [{ HostIp: host, HostPort: String(port) }],
        ]),
      ),
      Mounts: Object.entries(volumes)
        .map(([Target, Source]) => ({ Type: "volume", Source, Target })),
      RestartPolicy: { Name: "unless-stopped" },
      ReadonlyRootfs: true,
      Tmpfs: { "/tmp": "rw,nosuid,nodev,mode=1777" },
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      ...(init && { Init: true }),
      ExtraHosts: ["host.docker.internal:host-gateway"],
      ...(memory !== undefined && { Memory: memory * MIB, MemorySwap: memory * MIB }),
      ...(cpu !== undefined && { NanoCpus: Math.round(cpu * SECOND) }),
    },
    NetworkingConfig: { EndpointsConfig: { [network.name]: { Aliases: [host] } } },
  };
}
