import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  type ImageBuilder,
  loadCommand,
  provideImage,
} from "../../../drivers/kubernetes/provide_image.ts";
import { MpError } from "../../../runtime/errors.ts";

function recorder(): { builder: ImageBuilder; made: unknown[] } {
  const made: unknown[] = [];
  const make: ImageBuilder["make"] = (tag, { push }) => {
    made.push([tag, push]);
    return Promise.resolve();
  };
  return { made, builder: { make } };
}

const shared = { version: "1.0.0", context: "far", settings: {} };

Deno.test("provideImage() makes nothing where an image is named", async () => {
  const { builder, made } = recorder();
  await provideImage("mine:1", { ...shared, builder, settings: { image: "mine:1" } });
  assertEquals(made, []);
});

Deno.test("provideImage() builds and pushes one where there is a registry", async () => {
  const { builder, made } = recorder();
  const settings = { registry: "registry.example" };
  await provideImage("registry.example/mp:1.0.0", { ...shared, builder, settings });
  assertEquals(made, [["registry.example/mp:1.0.0", true]]);
});

Deno.test("provideImage() says that nodes elsewhere cannot have an image from here", async () => {
  const { builder } = recorder();
  const error = await assertRejects(() => provideImage("mp:1", { ...shared, builder }), MpError);
  assertEquals(error.code, "usage");
  assertStringIncludes(error.message, 'nodes of context "far" cannot have one from here');
  assertStringIncludes(error.next!, "--image");
});

Deno.test("provideImage() says that what loads images is not there, or why it fails", async () => {
  const { builder, made } = recorder();
  const path = Deno.env.get("PATH")!;
  const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
  try {
    Deno.env.set("PATH", folder);
    const load = () => provideImage("mp:1", { ...shared, context: "kind-dev", builder });
    const missing = await assertRejects(load, MpError);
    assertStringIncludes(
      missing.message,
      'Cannot load mp:1 into the cluster of "kind-dev": there is no program "kind"',
    );
    const script =
      '#!/bin/sh\n[ "$*" = "load docker-image mp:1 --name dev" ] && exit 0\necho "not $*" >&2\nexit 1\n';
    await Deno.writeTextFile(`${folder}/kind`, script, { mode: 0o700 });
    await load();
    assertEquals(made, [["mp:1", false], ["mp:1", false]]);
    await Deno.writeTextFile(`${folder}/kind`, "#!/bin/sh\necho 'no such cluster' >&2\nexit 1\n");
    assertStringIncludes((await assertRejects(load, MpError)).message, ": no such cluster");
  } finally {
    Deno.env.set("PATH", path);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("loadCommand() knows clusters on this machine by their contexts", () => {
  const commands = ["kind-a", "k3d-b", "minikube", "k3s", "gke_x"].map((context) =>
    loadCommand(context, "mp:1")?.[0]
  );
  assertEquals(commands, ["kind", "k3d", "minikube", "sh", undefined]);
});
