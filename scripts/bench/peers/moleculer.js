// A moleculer cluster over TCP behind one HTTP server: `moleculer.js NODES`. With one node a request is one
// remote call, with more it is a fan-out over all of them.
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
// @ts-ignore: it is installed by the benchmark
import { ServiceBroker } from "moleculer";
import { histogram } from "./sample.js";
import { serveJsonRpc } from "./serve_json_rpc.js";

const names = ["door", ...Array.from({ length: Number(process.argv[2]) }, (_, i) => `node-${i}`)];
const ports = await freePorts(names.length);
const urls = names.map((name, i) => `tcp://127.0.0.1:${ports[i]}/${name}`).join(",");
const [, ...nodes] = names;

const program = fileURLToPath(new URL("./moleculer_node.js", import.meta.url));
const children = nodes.map((name) => spawn(process.execPath, [program, name, urls]));
process.on("SIGTERM", () => {
  for (const child of children) child.kill("SIGKILL");
  process.exit();
});

const broker = new ServiceBroker({
  nodeID: "door",
  logger: false,
  transporter: { type: "TCP", options: { udpDiscovery: false, urls } },
});
await broker.start();
await broker.waitForServices("leaf");
const known = () => broker.registry.getNodeList({ onlyAvailable: true }).map(({ id }) => id);
while (!nodes.every((name) => known().includes(name))) {
  await new Promise((resolve) => setTimeout(resolve, 50));
}

serveJsonRpc(
  nodes.length === 1
    ? (request) => broker.call("leaf.echo", { request })
    : async (request) =>
      histogram(
        await Promise.all(
          nodes.map((nodeID) => broker.call("leaf.sample", { request }, { nodeID })),
        ),
      ),
);

/** Ports that were free a moment ago: the addresses of all nodes must be known before one is started. */
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, () =>
      new Promise((resolve) => {
        const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
      })),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
