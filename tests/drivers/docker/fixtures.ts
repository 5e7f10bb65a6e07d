// Plans and manifests that the tests of the docker driver share.
import { assign } from "../../../drivers/docker/assign.ts";
import { type DockerManifest, render } from "../../../drivers/docker/manifest.ts";
import type { AddressBook } from "../../../runtime/launch/address_book.ts";
import type { RenderOptions } from "../../../runtime/launch/driver.ts";
import type { Plan } from "../../../runtime/plan/plan.ts";
import { planNode } from "../plan_node.ts";

/** A router with two leaves, one of which has limits. */
export const plan: Plan = {
  app: "shop",
  revision: "r1",
  bundle: "0123",
  nodes: [
    planNode("hist.gather", { expose: true, needs: ["hist.scatter"] }),
    planNode("hist.scatter", {
      replicas: 2,
      env: { LEVEL: "script", MP_STORAGE: "redis" },
      resources: { cpu: 0.5, memory: 64 },
    }),
  ],
  doors: [{ port: null, node: "hist.gather", methods: { hist: "hist.gather" } }],
};

/** The book of the plan, without asking the machine for a port. */
export async function bookOf(port = 3000): Promise<AddressBook> {
  const doors: AddressBook["doors"] = [{ node: "hist.gather", address: `tcp:127.0.0.1:${port}` }];
  const scales = { revision: "r1", generation: 0, replicas: [], doors };
  const nobody = () => Promise.resolve(undefined);
  return await assign(plan, { host: "127.0.0.1", port, scales, tree: 1 }, nobody);
}

/** Options of `render`. */
export function renderOptions(
  book: AddressBook,
  { env = {}, settings = {} }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly settings?: Readonly<Record<string, string | boolean>>;
  } = {},
): RenderOptions {
  const script = "/home/me/shop/topology.ts";
  const order: RenderOptions["note"]["order"] = {
    version: "1.2.3",
    driver: "docker",
    plan,
    bundle: { hash: "0123", script },
    env,
    widths: {},
    cwd: "/home/me",
    settings,
  };
  return {
    files: { bundle: "", sourceMap: "", script },
    bundle: { code: "code", map: "map", hash: "0123", script },
    note: {
      handle: {
        app: "shop",
        driver: "docker",
        script,
        revision: "r1",
        doors: [],
        created: "2025-01-31T12:00:00.000Z",
      },
      order,
      book,
      tree: 1,
      scaled: {},
    },
    env,
    cwd: "/home/me",
    command: { command: "deno", args: [] },
  };
}

/** The manifest of the plan. */
export async function manifestOf(
  options: Parameters<typeof renderOptions>[1] = {},
  around: Readonly<Record<string, string>> = {},
): Promise<DockerManifest> {
  const book = await bookOf();
  return render(plan, book, renderOptions(book, options), { env: (name) => around[name] });
}
