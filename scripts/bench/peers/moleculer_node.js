// A node of a moleculer cluster over TCP: `moleculer_node.js NODE_ID URLS`.
// @ts-ignore: it is installed by the benchmark
import { ServiceBroker } from "moleculer";
import { sample } from "./sample.js";

const [nodeID, urls] = process.argv.slice(2);
const broker = new ServiceBroker({
  nodeID,
  logger: false,
  transporter: { type: "TCP", options: { udpDiscovery: false, urls } },
});
broker.createService({
  name: "leaf",
  actions: {
    sample,
    echo: ({ params }) => ({ "request-was": params.request }),
  },
});
await broker.start();
