// Replicas as containers and pods have them: no launcher, no supervisor, names instead of sockets.
import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import type { AddressBook } from "../../runtime/launch/address_book.ts";
import { prepare } from "../../runtime/launch/prepare.ts";
import { stopBundler } from "../../runtime/script/bundle.ts";
import { probe, type Sighting } from "../../runtime/replica/probe.ts";
import { startProgram } from "../support/program.ts";
import type { Program } from "../support/program.ts";
import { denoDir } from "../support/deno_dir.ts";
import { ask } from "./callers.ts";
import { script } from "./launched.ts";

const REPLICA = fromFileUrl(new URL("../../replica.ts", import.meta.url));

/** The files of a deployment, and replicas started by hand. */
class Machine implements AsyncDisposable {
  #started: Program[] = [];
  #ports = new Map<string, number>();

  private constructor(
    readonly folder: string,
    readonly plan: { readonly revision: string; readonly app: string },
  ) {}

  static async make(body: string): Promise<Machine> {
    const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "mp-" }));
    const file = join(folder, "shop.ts");
    await Deno.writeTextFile(file, script(body));
    const signal = new AbortController().signal;
    const prepared = await prepare({ script: file, widths: {}, env: {}, signal })
      .finally(stopBundler);
    if (prepared.kind !== "topology") throw new Error("the script makes no service");
    const { plan, bundle } = prepared;
    await Deno.writeTextFile(join(folder, "bundle.mjs"), bundle.code);
    await Deno.writeTextFile(join(folder, "bundle.map"), bundle.map);
    await Deno.writeTextFile(join(folder, "secret"), "s3cret\n");
    return new Machine(folder, plan);
  }

  /** Writes the book of these replicas, each of which keeps its port. */
  async book(generation: number, replicas: readonly string[], door: string): Promise<AddressBook> {
    const address = (name: string) => `tcp:localhost:${this.port(name)}` as const;
    const book: AddressBook = {
      revision: this.plan.revision,
      generation,
      replicas: replicas.map((name) => ({
        path: name.replace(/\.\d+$/, ""),
        index: Number(/\d+$/.exec(name)),
        peer: address(`${name} peer`),
        http: address(`${name} http`),
      })),
      doors: [{
        node: door,
        address: "tcp:published.example:80",
        listen: `tcp:0.0.0.0:${this.port("door")}`,
      }],
    };
    await Deno.writeTextFile(join(this.folder, "next"), JSON.stringify(book));
    await Deno.rename(join(this.folder, "next"), join(this.folder, "book.json"));
    return book;
  }

  /** A port of its own, below those from which the system takes the ends of connections. */
  port(of: string): number {
    for (let port = this.#ports.get(of);; port = 12_000 + Math.floor(Math.random() * 20_000)) {
      if (port === undefined) continue;
      if (this.#ports.get(of) === port) return port;
      try {
        Deno.listen({ port }).close();
        this.#ports.set(of, port);
      } catch (error) {
        if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      }
    }
  }

  get env(): Record<string, string> {
    return {
      MP_ROLE: "replica",
      MP_APP: this.plan.app,
      MP_REVISION: this.plan.revision,
      MP_BUNDLE: join(this.folder, "bundle.mjs"),
      MP_SOURCE_MAP: join(this.folder, "bundle.map"),
      // where no such file is
      MP_SCRIPT: "/app/shop.ts",
      MP_BOOK: join(this.folder, "book.json"),
      MP_SECRET_FILE: join(this.folder, "secret"),
      MP_LISTEN_HOST: "0.0.0.0",
      MP_STORAGE: "memory",
    };
  }

  async start(env: Record<string, string>): Promise<Program> {
    const program = startProgram(Deno.execPath(), {
      args: ["run", "-A", "--unstable-net", REPLICA],
      cwd: this.folder,
      env: { PATH: Deno.env.get("PATH") ?? "", DENO_DIR: await denoDir(), ...this.env, ...env },
    });
    this.#started.push(program);
    return program;
  }

  /** What a probe sees until all are ready, the last of each. */
  async look(milliseconds: number): Promise<Record<string, Sighting["state"]>> {
    const seen: Record<string, Sighting["state"]> = {};
    await probe({
      ...this.env,
      MP_REPLICA: "any.0",
      MP_PROBE: "tree",
      MP_PROBE_FOR: String(milliseconds),
    }, (line) => {
      const { path, index, state } = JSON.parse(line) as Sighting;
      seen[`${path}.${index}`] = state;
    });
    return seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#started) program.kill("SIGKILL");
    await Promise.all(this.#started.map((program) => program.ended));
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("replicas without a launcher find each other by the book, open their doors, and drain by SIGTERM", async () => {
  await using machine = await Machine.make(
    `mp.service("hist", mp.scatter(2, (_, { replica }) => replica.index, (parts) => parts))
       .subservices.gather.expose = true;`,
  );
  const { replicas } = await machine.book(
    1,
    ["hist.gather.0", "hist.scatter.0", "hist.scatter.1"],
    "hist.gather",
  );
  const gather = await machine.start({ MP_REPLICA: "hist.gather.0" });
  // as the pods of a StatefulSet, whose names say which they are
  const first = await machine.start({
    MP_PATH: "hist.scatter",
    MP_POD_NAME: "shop-hist-scatter-0",
  });
  const readyz = `http://localhost:${machine.port("hist.gather.0 http")}/readyz`;
  const missing = async () => (await (await fetch(readyz)).json()).missing.join();
  while (await missing().catch(() => "") !== "hist.scatter.1,its door");
  const response = await fetch(readyz);
  await response.body?.cancel();
  assertEquals(response.status, 503);
  assertEquals(await machine.look(0), {
    "hist.gather.0": "starting",
    "hist.scatter.0": "ready",
    "hist.scatter.1": "absent",
  });
  const self = { ...machine.env, MP_PATH: "hist.scatter" };
  assertEquals(await probe({ ...self, MP_INDEX: "0" }, () => {}), 0);
  assertEquals(await probe({ ...self, MP_INDEX: "1" }, () => {}), 1);

  const second = await machine.start({ MP_PATH: "hist.scatter", MP_INDEX: "1" });
  const states = await machine.look(30_000);
  assertEquals(Object.values(states), replicas.map(() => "ready"));
  const url = `http://127.0.0.1:${machine.port("door")}/`;
  assertEquals((await ask(url, "hist")).result, [0, 1]);

  for (const program of [gather, first, second]) {
    program.kill("SIGTERM");
    assertEquals((await program.ended).code, 0);
  }
});

Deno.test("replicas without a launcher follow the book", async () => {
  await using machine = await Machine.make(
    `mp.service("even", mp.spread(1, (_, { replica }) => replica.index, { strategy: "round-robin" }))
       .subservices.shard.expose = true;`,
  );
  await machine.book(1, ["even.shard.0", "even.compute.0"], "even.shard");
  await machine.start({ MP_REPLICA: "even.shard.0" });
  await machine.start({ MP_REPLICA: "even.compute.0" });
  while ((await machine.look(30_000))["even.shard.0"] !== "ready");
  const url = `http://127.0.0.1:${machine.port("door")}/`;
  const answer = async () => (await ask(url, "even")).result;
  assertEquals(await answer(), 0);
  await machine.book(2, ["even.shard.0", "even.compute.0", "even.compute.1"], "even.shard");
  await machine.start({ MP_REPLICA: "even.compute.1" });
  while (await answer() !== 1);
  await machine.book(3, ["even.shard.0", "even.compute.0"], "even.shard");
  while ((await Promise.all([answer(), answer()])).includes(1));
});

Deno.test("a replica without a launcher says that it would fail again", async () => {
  await using machine = await Machine.make(`mp.service("one", () => 1);`);
  await machine.book(1, ["one.0"], "one");
  const other = await machine.start({ MP_REPLICA: "one.0", MP_REVISION: "other" });
  const { code, stderr } = await other.ended;
  assertEquals([code, stderr.split(":")[1]], [78, " Cannot start one.0"]);
  const nobody = await machine.start({ MP_PATH: "one", MP_INDEX: "3" });
  assertEquals((await nobody.ended).code, 78);
});
