import { mysqlStorage } from "../../../drivers/storage/mysql.ts";
import type { MysqlConfig } from "../../../runtime/storage/storage_config.ts";
import { parseStorageUrl } from "../../../runtime/storage/storage_url.ts";
import { testStorage } from "../../conformance/storage/suite.ts";
import { needsProgram } from "../../support/needs.ts";
import { startMysql } from "../../support/servers/mysql_server.ts";

const needs = needsProgram("mariadbd", "apt-get install mariadb-server");

const configOf = (url: string) =>
  parseStorageUrl(url, { where: "the test", folder: "/" }) as MysqlConfig;

testStorage("mysql", async () => {
  const server = await startMysql();
  return {
    open: (options) => mysqlStorage({ ...options, config: configOf(server.url) }),
    server,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}, { needs });
