// The storages' clients, which are bundled apart and loaded by the replicas of the executable when they are used.
import { assertEquals } from "@std/assert";
import { executable, needsExecutable } from "../support/executable.ts";
import { mpSandbox } from "../support/mp.ts";
import { needsProgram, testWith } from "../support/needs.ts";
import { startMysql } from "../support/servers/mysql_server.ts";
import { startRedis } from "../support/servers/redis_server.ts";

const COUNTER = `import * as mp from "@metaparticle/mp";
mp.service("counter", () => mp.scope.global.count = (mp.scope.global.count ?? 0) + 1, { expose: true });
`;

async function countsIn(storage: string): Promise<void> {
  await using sandbox = await mpSandbox([executable()]);
  const script = await sandbox.write("counter.ts", COUNTER);
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await sandbox.run(args);
    assertEquals(code, 0, stderr);
    return stdout;
  };
  for (const expected of ["1\n", "2\n"]) {
    await run("run", script, "-d", "--wait", "--port", "0", "--storage", storage);
    assertEquals(await run("client", "counter"), expected);
    await run("delete");
  }
  const { count } = JSON.parse(
    await run("scope", "get", "global", "--app", script, "--storage", storage),
  );
  assertEquals(count, 2);
}

testWith(
  [needsExecutable(), needsProgram("redis-server", "apt-get install redis-server")],
  "the executable keeps scopes in redis",
  async () => {
    await using server = await startRedis();
    await countsIn(server.url);
  },
);

testWith(
  [needsExecutable(), needsProgram("mariadbd", "apt-get install mariadb-server")],
  "the executable keeps scopes in mysql",
  async () => {
    await using server = await startMysql();
    await countsIn(server.url);
  },
);
