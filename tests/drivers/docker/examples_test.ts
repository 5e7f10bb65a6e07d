// The examples on containers.
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { Response } from "../../../examples/search/topology.ts";
import { needsProgram, testWith } from "../../support/needs.ts";
import { startRedis } from "../../support/servers/redis_server.ts";
import { attach, containersOf, ENGINE, mp, needs, withEngine } from "./with_engine.ts";

const example = (name: string) =>
  fromFileUrl(new URL(`../../../examples/${name}`, import.meta.url));
const docker = needsProgram("docker", "apt-get install docker.io");
const redis = needsProgram("redis-server", "apt-get install redis-server");

testWith(needs, "examples/histogram is eleven containers", async () => {
  await withEngine("docker-histogram", async (sandbox) => {
    const args = ["--name", "docker-histogram"];
    const { call, stop } = await attach(sandbox, example("histogram.ts"), ...args);
    const names = (await containersOf("docker-histogram")).flatMap(({ Names }) => Names);
    const leaves = Array.from(
      { length: 10 },
      (_, i) => `/docker-histogram.histogram-service.scatter.${i}`,
    );
    assertEquals(names.sort(), ["/docker-histogram.histogram-service.gather.0", ...leaves]);
    const counts = await call("histogram-service", {}) as number[];
    const sum = counts.reduce((a, b) => a + b, 0);
    assert(Math.abs(sum - 1000) < 50, `${counts}`);
    await stop();
  });
});

testWith(needs, "examples/search finds the files beside its script, which go along", async () => {
  await withEngine("docker-search", async (sandbox) => {
    const args = ["--name", "docker-search", "--replicas", "index.scatter=2"];
    const { call, stop } = await attach(sandbox, example("search/topology.ts"), ...args);
    const found = await call("search", '"happened before"') as Response;
    assertEquals([found.documents, found.hits[0]!.file], [15, "lamport-clocks.txt"]);
    await stop();
  });
});

testWith([needs, docker], "examples/counter keeps its count in the volume of the app", async () => {
  await withEngine("docker-counter", async (sandbox) => {
    const args = ["--name", "docker-counter", "--replicas", "counter.compute=2"];
    const first = await attach(sandbox, example("counter.ts"), ...args);
    const counts = await Promise.all([1, 2, 3, 4].map(() => first.call("counter")));
    assertEquals(counts.map((one) => (one as { requests: number }).requests).sort(), [1, 2, 3, 4]);

    // it is no file of this machine, so whoever looks for it is told how to get at it
    const { code, stderr } = await sandbox.run(["scope", "get", "global"]);
    assertEquals([code, stderr.includes("they are in the volume mp-docker-counter-data")], [
      1,
      true,
    ], stderr);
    const source = /docker cp (\S+) copy/.exec(stderr)![1]!;
    await new Deno.Command("docker", {
      args: ["cp", source, "copy"],
      cwd: sandbox.folder,
      env: ENGINE,
    }).output();
    const storage = `file:${sandbox.folder}/copy/data.db`;
    const copy = ["--storage", storage, "--app", "docker-counter"];
    assertEquals(await mp(sandbox, "scope", "get", "global", ...copy), '{"requests":4}\n');

    await first.stop();
    const second = await attach(sandbox, example("counter.ts"), ...args);
    const { requests } = await second.call("counter") as { requests: number };
    assertEquals(requests, 5);
    await second.stop();
  });
});

testWith([needs, redis], "the examples of scopes use a redis that containers reach", async () => {
  await using server = await startRedis({ bind: "0.0.0.0", requirepass: "in the test" });
  const storage = `redis://:in%20the%20test@host.docker.internal:${server.port}/0`;
  const withRedis = (app: string) => ["--name", app, "--storage", storage];

  await withEngine("docker-redis", async (sandbox) => {
    const args = [...withRedis("docker-redis"), "--replicas", "counter.compute=2"];
    const { call, stop } = await attach(sandbox, example("counter.ts"), ...args);
    await Promise.all([1, 2, 3].map(() => call("counter")));
    assertEquals((await call("counter") as { requests: number }).requests, 4);
    await stop();
  });

  await withEngine("docker-users", async (sandbox) => {
    const users = example("per_user_counter.htpasswd");
    const args = [
      ...withRedis("docker-users"),
      "--auth-users",
      users,
      "--replicas",
      "counter.compute=1",
    ];
    const { call, stop } = await attach(sandbox, example("per_user_counter.ts"), ...args);
    const as = async (user: string) =>
      JSON.parse(await mp(sandbox, "client", "counter", "--user", user));
    assertEquals(await as("ada:engine"), { user: "ada", requests: 1 });
    assertEquals(await as("ada:engine"), { user: "ada", requests: 2 });
    assertEquals(await as("grace:compiler"), { user: "grace", requests: 1 });
    await call("counter").then(() => assert(false, "nobody was asked"), () => {});
    await stop();
  });

  await withEngine("docker-shop", async (sandbox) => {
    const args = [...withRedis("docker-shop"), "--replicas", "buy.compute=1"];
    const { call, stop } = await attach(sandbox, example("shop/topology.ts"), ...args);
    await call("restock", { item: "teapot", count: 3 });
    await call("add", { customer: "ada", item: "teapot", count: 2 });
    await call("buy", { customer: "ada" });
    assertEquals((await call("orders") as unknown[]).length, 1);
    assertEquals(await call("restock", { item: "teapot", count: 1 }), { teapot: 2 });
    await stop();
  });
});
