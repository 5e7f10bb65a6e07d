import { assertEquals, assertThrows } from "@std/assert";
import { engineAddress } from "../../../drivers/docker/engine_address.ts";
import { MpError } from "../../../runtime/errors.ts";

const at = (env: Record<string, string>) => engineAddress((name) => env[name]);

Deno.test("engineAddress() reads DOCKER_HOST", () => {
  assertEquals(at({ DOCKER_HOST: "unix:///run/x.sock" }).socketPath, "/run/x.sock");
  const tcp = at({ DOCKER_HOST: "tcp://10.0.0.7:2375" });
  assertEquals([tcp.host, tcp.port, tcp.tls], ["10.0.0.7", 2375, undefined]);
  assertEquals(at({ DOCKER_HOST: "tcp://[::1]" }).host, "::1");
});

Deno.test("engineAddress() says what is wrong with DOCKER_HOST", () => {
  for (const [host, next] of [["ssh://me@there", "Forward its socket"], ["x", "Set DOCKER_HOST"]]) {
    const error = assertThrows(() => at({ DOCKER_HOST: host! }), MpError);
    assertEquals(error.code, "engine_unavailable");
    assertEquals(error.next?.startsWith(next!), true, error.next);
  }
});

Deno.test("engineAddress() reads Docker's context", async () => {
  const DOCKER_CONFIG = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${DOCKER_CONFIG}/config.json`, `{"currentContext":"far"}`);
    const error = assertThrows(() => at({ DOCKER_CONFIG }), MpError);
    assertEquals(error.message, `Cannot use Docker's context "far": there is none`);
    // the folder is the SHA-256 of the name
    const digest = new Uint8Array(
      await crypto.subtle.digest("SHA-256", new TextEncoder().encode("far")),
    );
    const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const folder = `${DOCKER_CONFIG}/contexts/meta/${hex}`;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(
      `${folder}/meta.json`,
      `{"Name":"far","Endpoints":{"docker":{"Host":"tcp://far.example:2375"}}}`,
    );
    const { host, chosenBy } = at({ DOCKER_CONFIG });
    assertEquals([host, chosenBy], ["far.example", 'the context "far"']);
    assertEquals(at({ DOCKER_CONFIG, DOCKER_HOST: "unix:///x" }).socketPath, "/x");
  } finally {
    await Deno.remove(DOCKER_CONFIG, { recursive: true });
  }
});

Deno.test("engineAddress() finds the socket of Podman where there is none of Docker", async () => {
  const XDG_RUNTIME_DIR = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${XDG_RUNTIME_DIR}/podman`);
    await Deno.writeTextFile(`${XDG_RUNTIME_DIR}/podman/podman.sock`, "");
    const found = at({ XDG_RUNTIME_DIR }).socketPath!;
    const usual = "/var/run/docker.sock";
    const there = await Deno.stat(usual).then(() => true, () => false);
    assertEquals(found, there ? usual : `${XDG_RUNTIME_DIR}/podman/podman.sock`);
  } finally {
    await Deno.remove(XDG_RUNTIME_DIR, { recursive: true });
  }
});
