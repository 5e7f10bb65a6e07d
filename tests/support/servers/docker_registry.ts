/**
 * A registry of images for tests: on a free port, in a folder of its own.
 *
 * @module
 */

import { join } from "@std/path";
import { startServer, type TestServer } from "./test_server.ts";

/** A running registry. */
export interface DockerRegistry extends TestServer {
  /** Its name as a part of images' names. */
  readonly host: string;
  /** The tags of a repository that it has. */
  tags(repository: string): Promise<readonly string[]>;
}

/** Starts a registry. */
export async function startRegistry(): Promise<DockerRegistry> {
  const server = await startServer({
    name: "docker-registry",
    command: "docker-registry",
    ready: "listening on",
    args(folder, port) {
      const file = join(folder, "config.yml");
      Deno.writeTextFileSync(
        file,
        [
          "version: 0.1",
          `storage: { filesystem: { rootdirectory: ${JSON.stringify(join(folder, "data"))} } }`,
          `http: { addr: "127.0.0.1:${port}" }`,
        ].join("\n"),
      );
      return ["serve", file];
    },
  });
  const host = `127.0.0.1:${server.port}`;
  return {
    ...server,
    host,
    async tags(repository) {
      const response = await fetch(`http://${host}/v2/${repository}/tags/list`);
      return (await response.json()).tags ?? [];
    },
  };
}
