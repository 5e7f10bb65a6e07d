import { redisStorage } from "../../../drivers/storage/redis.ts";
import type { RedisConfig } from "../../../runtime/storage/storage_config.ts";
import { parseStorageUrl } from "../../../runtime/storage/storage_url.ts";
import { testStorage } from "../../conformance/storage/suite.ts";
import { needsProgram } from "../../support/needs.ts";
import { startRedis } from "../../support/servers/redis_server.ts";

const needs = needsProgram("redis-server", "apt-get install redis-server");

const configOf = (url: string) =>
  parseStorageUrl(url, { where: "the test", folder: "/" }) as RedisConfig;

testStorage("redis", async () => {
  const server = await startRedis();
  return {
    open: (options) => redisStorage({ ...options, config: configOf(server.url) }),
    server,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}, { needs });
