import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { MpError } from "../../../runtime/errors.ts";
import {
  checkDriver,
  deployOrder,
  planOptions,
  preparation,
  readCount,
} from "../../../runtime/cli/deploy_options.ts";
import { histogramPlan } from "./sample_plan.ts";

const messageOf = (body: () => unknown) => {
  const error = assertThrows(body);
  assertInstanceOf(error, MpError);
  assertEquals(error.code, "usage");
  return [error.message, error.next];
};

const launchValues = {
  driver: undefined,
  port: undefined,
  host: undefined,
  inspect: undefined,
  linuxBinary: undefined,
  baseImage: undefined,
  imagePrefix: undefined,
  registry: undefined,
  image: undefined,
  namespace: undefined,
  context: undefined,
  volumeClaim: undefined,
  recreate: false,
  push: false,
};

const values = (env: string[], envFile: string[] = [], replicas: string[] = []) => ({
  name: undefined,
  env: planOptions.env.read(env, "--env"),
  envFile: planOptions.envFile.read(envFile, "--env-file"),
  replicas: planOptions.replicas.read(replicas, "--replicas"),
  storage: undefined,
  authUsers: undefined,
  cors: [] as readonly string[],
});

Deno.test("preparation() joins files and options, the later and the nearer first", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
  const [one, two] = [join(folder, "one.env"), join(folder, "two.env")];
  await Deno.writeTextFile(one, 'A=1\n# comment\nB="two words"\nexport C=3 # three\n');
  await Deno.writeTextFile(two, "A=2\nD='x\ny'\n");
  try {
    const { env, widths } = preparation("a.ts", values(["C=4", "E="], [one, two], ["p=3", "q=1"]));
    assertEquals(env, { A: "2", B: "two words", C: "4", D: "x\ny", E: "" });
    assertEquals(widths, { p: 3, q: 1 });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("preparation() hands the file of users on by its whole path, over all else", () => {
  const given = { ...values(["MP_AUTH_USERS=b", "A=1"]), authUsers: "users/htpasswd" };
  assertEquals(preparation("a.ts", given).env, {
    A: "1",
    MP_AUTH_USERS: join(Deno.cwd(), "users", "htpasswd"),
  });
});

Deno.test("preparation() hands origins on, and refuses what is none", () => {
  const cors = ["https://a.example,http://localhost:5173", "https://b.example/"];
  assertEquals(preparation("a.ts", { ...values([]), cors }).env, {
    MP_CORS: "https://a.example http://localhost:5173 https://b.example",
  });
  assertEquals(
    messageOf(() => preparation("a.ts", { ...values([]), cors: ["a.example"] }))[0],
    'Cannot read the origin "a.example": it is none',
  );
});

Deno.test("preparation() names the file that is not there", () => {
  assertEquals(
    messageOf(() => preparation("a.ts", values([], ["/nope/.env"])))[0],
    'Cannot read --env-file "/nope/.env": there is no such file',
  );
});

Deno.test("preparation() names the line of a file that is no variable, and does not show it", async () => {
  const path = await Deno.makeTempFile({ prefix: "mp-test-" });
  try {
    await Deno.writeTextFile(path, "A=1\nhunter2\n");
    const error = assertThrows(() => preparation("a.ts", values([], [path])), MpError);
    assertEquals([error.code, error.where], ["usage", `${path}:2`]);
    assertEquals(
      error.message,
      `Cannot read --env-file "${path}": a line is neither NAME=VALUE nor a comment`,
    );
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("readCount() takes whole numbers from 1 to 10000", () => {
  assertEquals([readCount("1", ""), readCount("10000", "")], [1, 10_000]);
  for (const written of ["0", "-1", "1.5", "ten", "", "10001", "1e3", " 1"]) {
    messageOf(() => readCount(written, "--replicas p="));
  }
});

Deno.test("checkDriver() knows the drivers there are", () => {
  assertEquals(checkDriver(undefined, ["process", "docker"]), "process");
  assertEquals(checkDriver("docker", ["process", "docker"]), "docker");
  assertEquals(
    messageOf(() => checkDriver("dokcer", ["process", "docker"]))[1],
    'Did you mean "docker"?',
  );
  assertEquals(
    messageOf(() => checkDriver("x", ["process", "docker"]))[1],
    "The drivers are process, docker",
  );
});

Deno.test("deployOrder() inspects only a path that is there", () => {
  const bundle = {
    code: "",
    map: "",
    hash: "",
    inputs: [],
    script: "/a.ts",
    mayServe: true,
    mayUseScopes: false,
  };
  const order = (inspect: string) =>
    deployOrder({ kind: "topology", plan: histogramPlan, bundle }, {
      version: "1",
      driver: "process",
      options: { ...launchValues, inspect },
      preparation: { widths: {}, env: {} },
    });
  assertEquals(order("histogram.gather").inspect, "histogram.gather");
  assertEquals(messageOf(() => order("histogram.gathr")), [
    'Cannot inspect "histogram.gathr": there is no such path',
    'Did you mean "histogram.gather"?',
  ]);
});

Deno.test("deployOrder() hands on what only a driver knows, as far as it was given", () => {
  const bundle = {
    code: "",
    map: "",
    hash: "",
    inputs: [],
    script: "/a.ts",
    mayServe: true,
    mayUseScopes: false,
  };
  const order = (given: Readonly<Record<string, unknown>>) =>
    deployOrder({ kind: "topology", plan: histogramPlan, bundle }, {
      version: "1",
      driver: "docker",
      options: { ...launchValues, ...given } as typeof launchValues,
      preparation: { widths: {}, env: {} },
    });
  assertEquals(order({ port: 1, wait: true, timeout: 3 }).settings, {});
  assertEquals(order({ push: true, registry: "r.example", linuxBinary: "bin/mp" }).settings, {
    push: true,
    registry: "r.example",
    linuxBinary: join(Deno.cwd(), "bin", "mp"),
  });
});
