import { assertEquals, assertThrows } from "@std/assert";
import { assign } from "../../../drivers/docker/assign.ts";
import { containerBody } from "../../../drivers/docker/container_body.ts";
import { doorsWithin, passOnBook } from "../../../drivers/docker/door_keepers.ts";
import { render } from "../../../drivers/docker/manifest.ts";
import { MpError } from "../../../runtime/errors.ts";
import { bookOf, manifestOf, plan, renderOptions } from "./fixtures.ts";

const image = { tag: "shop:abc", command: ["/mp/mp", "__replica"] };

Deno.test("assign() names every replica in the network of its tree, and publishes doors", async () => {
  const { replicas, doors } = await bookOf(4000);
  assertEquals(replicas.map(({ peer }) => peer), [
    "tcp:0.hist.gather.t1:4000",
    "tcp:0.hist.scatter.t1:4000",
    "tcp:1.hist.scatter.t1:4000",
  ]);
  assertEquals(new URL("http://0.hist.gather.t1:4001/").hostname, "0.hist.gather.t1");
  assertEquals(doors, [{
    node: "hist.gather",
    address: "tcp:127.0.0.1:4000",
    listen: "tcp:0.0.0.0:3000",
  }]);
});

Deno.test("assign() minds no port of this machine for what is launched elsewhere", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const options = { host: "127.0.0.1", port, tree: 1, elsewhere: true };
  const { doors } = await assign(plan, options, () => Promise.resolve(undefined));
  assertEquals(doors.map(({ address }) => address), [`tcp:127.0.0.1:${port}`]);
});

Deno.test("render() makes a container of each replica, with a name and labels for everything", async () => {
  const { containers, network, runVolume, dataVolume } = await manifestOf();
  assertEquals(containers.map(({ name, host }) => [name, host]), [
    ["shop.hist.gather.0", "0.hist.gather.t1"],
    ["shop.hist.scatter.0", "0.hist.scatter.t1"],
    ["shop.hist.scatter.1", "1.hist.scatter.t1"],
  ]);
  assertEquals(containers[2]!.labels, {
    "mp.app": "shop",
    "mp.kind": "replica",
    "mp.tree": "1",
    "mp.revision": "r1",
    "mp.version": "1.2.3",
    "mp.path": "hist.scatter",
    "mp.index": "1",
  });
  assertEquals([network.name, runVolume.name, dataVolume?.name], [
    "mp-shop",
    "mp-shop-1",
    "mp-shop-data",
  ]);
  assertEquals(JSON.parse(runVolume.labels["mp.handle"]!).app, "shop");
  assertEquals(JSON.parse(runVolume.labels["mp.plan"]!), plan);
  assertEquals(containers.map(({ labels }) => labels["mp.ports"]), [
    '["tcp:127.0.0.1:3000"]',
    undefined,
    undefined,
  ]);
});

Deno.test("render() publishes no port that a container of a tree before keeps", async () => {
  const replaces = await bookOf();
  const options = { host: "127.0.0.1", port: 3000, replaces, tree: 2 };
  const book = await assign(plan, options, () => Promise.resolve(undefined));
  const [door] = render(plan, book, renderOptions(book), { env: () => undefined }).containers;
  assertEquals([door!.ports, door!.labels["mp.ports"], door!.env.MP_LINGER], [
    [],
    undefined,
    "1000",
  ]);
});

Deno.test("passOnBook() points the doors of a keeper to the tree that has taken them over", async () => {
  const first = await bookOf();
  const passing = passOnBook(first, doorsWithin(first, 2));
  assertEquals([passing.generation, passing.doors], [2, [{
    ...first.doors[0]!,
    passTo: "tcp:0.hist.gather.t2:3000",
  }]]);
  const again = passOnBook(passing, doorsWithin(first, 3));
  assertEquals([again.generation, again.doors[0]!.passTo], [3, "tcp:0.hist.gather.t3:3000"]);
  assertEquals(passOnBook(again, new Map()).doors, first.doors);
});

Deno.test("render() takes the files along that the script has named", async () => {
  const book = await bookOf();
  const withFiles = { ...plan, files: [{ path: "corpus", stamp: "1" }] };
  const { files } = render(withFiles, book, renderOptions(book), { env: () => undefined });
  assertEquals(files, { folder: "/home/me/shop", paths: ["corpus"] });
});

Deno.test("render() is pure", async () => {
  assertEquals(await manifestOf(), await manifestOf());
});

Deno.test("render() gives replicas the environment of the command line over the script's", async () => {
  const { containers } = await manifestOf({ env: { LEVEL: "flag" } }, { OTHER: "x" });
  const { env } = containers[1]!;
  assertEquals([env.LEVEL, env.OTHER, env.MP_REPLICA, env.MP_SCRIPT], [
    "flag",
    undefined,
    "hist.scatter.0",
    "/app/topology.ts",
  ]);
});

Deno.test("render() takes the file of users along", async () => {
  const { usersFile, containers } = await manifestOf({}, { MP_AUTH_USERS: "/etc/users" });
  assertEquals([usersFile, containers[0]!.env.MP_AUTH_USERS], ["/etc/users", "/mp/run/users"]);
});

Deno.test("render() refuses the inspector", async () => {
  const book = await bookOf();
  const options = {
    ...renderOptions(book),
    inspect: { path: "hist.gather", command: { command: "deno", args: [] } },
  };
  const error = assertThrows(
    () => render(plan, book, options, { env: () => undefined }),
    MpError,
  );
  assertEquals(error.code, "unsupported");
});

Deno.test("containerBody() lets a container do no more than it needs", async () => {
  const manifest = await manifestOf();
  const [door, leaf] = manifest.containers.map((spec) =>
    containerBody(manifest, spec, { image, grace: 10_000, init: true })
  );
  const { HostConfig, User, StopSignal, StopTimeout, Healthcheck } = door!;
  assertEquals(HostConfig.PortBindings, {
    "3000/tcp": [{ HostIp: "127.0.0.1", HostPort: "3000" }],
  });
  assertEquals([User, StopSignal, StopTimeout], ["65532:65532", "SIGTERM", 11]);
  assertEquals(Healthcheck.Test, ["CMD", "/mp/mp", "__replica", "probe"]);
  assertEquals(
    [HostConfig.ReadonlyRootfs, HostConfig.CapDrop, HostConfig.SecurityOpt, HostConfig.Init],
    [true, ["ALL"], ["no-new-privileges"], true],
  );
  assertEquals(HostConfig.RestartPolicy, { Name: "unless-stopped" });
  assertEquals(leaf!.HostConfig.PortBindings, {});
  assertEquals(
    [leaf!.HostConfig.Memory, leaf!.HostConfig.MemorySwap, leaf!.HostConfig.NanoCpus],
    [64 << 20, 64 << 20, 500_000_000],
  );
  assertEquals(leaf!.NetworkingConfig.EndpointsConfig, {
    "mp-shop": { Aliases: ["0.hist.scatter.t1"] },
  });
});
