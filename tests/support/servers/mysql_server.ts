/**
 * A MariaDB server for tests: on a free port, in a folder of its own, durable.
 *
 * @module
 */

import { startServer, type TestServer } from "./test_server.ts";

/** A running MariaDB server, with an empty database. */
export interface MysqlServer extends TestServer {
  readonly url: string;
  readonly socketPath: string;
}

/**
 * Starts a server.
 *
 * @param settings Further settings, such as `{ "max-allowed-packet": "1M" }`.
 */
export async function startMysql(
  settings: Readonly<Record<string, string>> = {},
): Promise<MysqlServer> {
  const server = await startServer({
    name: "mariadbd",
    command: "mariadbd",
    ready: "ready for connections",
    prepare: prepareData,
    args: (folder, port) => [
      "--no-defaults",
      `--datadir=${folder}/data`,
      `--socket=${folder}/socket`,
      `--pid-file=${folder}/pid`,
      "--bind-address=127.0.0.1",
      `--port=${port}`,
      "--innodb-buffer-pool-size=64M",
      "--innodb-log-file-size=64M",
      "--innodb-flush-log-at-trx-commit=1",
      "--max-allowed-packet=64M",
      "--skip-name-resolve",
      // root may serve where root runs the tests
      ...(Deno.uid() === 0 ? ["--user=root"] : []),
      ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
    ],
  });
  return {
    ...server,
    url: `mysql://mp:secret@127.0.0.1:${server.port}/shop`,
    socketPath: `${server.folder}/socket`,
  };
}

async function prepareData(folder: string): Promise<void> {
  const { success, stderr, stdout } = await new Deno.Command("mariadb-install-db", {
    args: [
      "--no-defaults",
      `--datadir=${folder}/data`,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
      ...(Deno.uid() === 0 ? ["--user=root"] : []),
    ],
  }).output();
  if (!success) {
    const decoder = new TextDecoder();
    throw new Error(`Cannot make a database: ${decoder.decode(stdout)}${decoder.decode(stderr)}`);
  }
  await bootstrap(folder, [
    "CREATE DATABASE shop",
    "FLUSH PRIVILEGES",
    "CREATE USER mp@'%' IDENTIFIED BY 'secret'",
    "CREATE USER mp@localhost IDENTIFIED BY 'secret'",
    "GRANT ALL ON shop.* TO mp@'%'",
    "GRANT ALL ON shop.* TO mp@localhost",
  ]);
}

/** Runs statements without a server. */
async function bootstrap(folder: string, statements: readonly string[]): Promise<void> {
  const child = new Deno.Command("mariadbd", {
    args: [
      "--no-defaults",
      `--datadir=${folder}/data`,
      "--bootstrap",
      ...(Deno.uid() === 0 ? ["--user=root"] : []),
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(statements.map((text) => `${text};\n`).join("")));
  await writer.close();
  const { success, stderr } = await child.output();
  if (!success) throw new Error(`Cannot prepare a database: ${new TextDecoder().decode(stderr)}`);
}
