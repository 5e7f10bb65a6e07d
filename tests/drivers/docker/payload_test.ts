import { assert, assertEquals, assertRejects } from "@std/assert";
import { repositoryOf, tagsOf } from "../../../drivers/docker/image.ts";
import { parseLdd, payloadFor } from "../../../drivers/docker/payload.ts";
import { registryOf } from "../../../drivers/docker/registry_auth.ts";
import { MpError } from "../../../runtime/errors.ts";
import { needsSystem, testWith } from "../../support/needs.ts";
import { manifestOf } from "./fixtures.ts";

const own = { os: "linux", arch: Deno.build.arch === "aarch64" ? "arm64" : "amd64" };
const other = { os: "linux", arch: own.arch === "amd64" ? "arm64" : "amd64" };

Deno.test("parseLdd() finds the libraries in what ldd writes", () => {
  assertEquals(
    parseLdd(`	linux-vdso.so.1 (0x00007fe77aee8000)
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007fe77441e000)
	/lib64/ld-linux-x86-64.so.2 (0x00007fe77aeea000)
	libx.so => not found
`),
    ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"],
  );
});

testWith(needsSystem("linux"), "payloadFor() takes what runs here, as a whole system", async () => {
  const payload = await payloadFor(own, {}, "1.0.0");
  const paths = payload.system.map(({ path }) => path);
  for (const wanted of ["mp/deno", "etc/passwd", "tmp/", "mp/run/", "app/.mp/"]) {
    assert(paths.includes(wanted), `${wanted} is not in ${paths}`);
  }
  assert(paths.some((path) => path.includes("libc.so")), paths.join());
  assert(payload.half.some(({ path }) => path === "mp/half/replica.js"));
  assertEquals(payload.from, undefined);
  assertEquals((await payloadFor(own, {}, "1.0.0")).digest, payload.digest);
});

Deno.test("payloadFor() names every way to an image for another processor", async () => {
  const error = await assertRejects(() => payloadFor(other, {}, "1.0.0"), MpError);
  assertEquals(error.code, "unsupported");
  for (
    const way of [
      "--linux-binary",
      "MP_LINUX_BINARY",
      "--base-image",
      `mp-1.0.0-linux-${other.arch}`,
    ]
  ) {
    assert(error.next?.includes(way), error.next);
  }
  const based = await payloadFor(other, { baseImage: "denoland/deno" }, "1.0.0");
  assertEquals([based.from, based.command[0]], ["denoland/deno", "deno"]);
});

Deno.test("payloadFor() refuses what is no executable for the engine", async () => {
  const folder = await Deno.makeTempDir();
  const file = async (name: string, bytes: number[]) => {
    await Deno.writeFile(`${folder}/${name}`, new Uint8Array(bytes));
    return `${folder}/${name}`;
  };
  const elf = (machine: number) => [0x7f, 0x45, 0x4c, 0x46, ...Array(14).fill(0), machine, 0, 0, 0];
  const refusal = async (linuxBinary: string) => {
    const error = await assertRejects(() => payloadFor(other, { linuxBinary }, "1.0.0"), MpError);
    assertEquals(error.code, "usage");
    return error.message.split(": ")[1];
  };
  try {
    assertEquals(await refusal(`${folder}/none`), "there is no such file");
    assertEquals(await refusal(await file("text", [35, 33])), "it is no executable for Linux");
    const wrong = await file("wrong", elf(own.arch === "amd64" ? 0x3e : 0xb7));
    assertEquals(await refusal(wrong), `it is for ${own.arch}, not ${other.arch}`);
    const right = await file("right", elf(other.arch === "amd64" ? 0x3e : 0xb7));
    const payload = await payloadFor(other, { linuxBinary: right }, "1.0.0");
    assertEquals(payload.command, ["/mp/mp", "__replica"]);
    assert(payload.from, "it needs the C library of another system");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("tagsOf() says what is in an image", async () => {
  const payload = await payloadFor(other, { baseImage: "denoland/deno" }, "1.0.0");
  const manifest = await manifestOf({
    settings: { registry: "r.example:5000", imagePrefix: "team/" },
  });
  const tags = await tagsOf(manifest, payload, []);
  assertEquals(/^r\.example:5000\/team\/shop:[0-9a-f]{16}$/.test(tags.app), true, tags.app);
  assertEquals(await tagsOf(manifest, payload, []), tags);
  const changed = { ...manifest, bundle: { ...manifest.bundle, code: "other" } };
  const next = await tagsOf(changed, payload, []);
  assertEquals([next.app === tags.app, next.runtime === tags.runtime], [false, true]);
  assertEquals(repositoryOf("shop", {}), "shop");
  assertEquals(registryOf("r.example:5000/team/shop:1"), "r.example:5000");
  assertEquals(registryOf("team/shop:1"), "https://index.docker.io/v1/");
});
