import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import {
  findDeployment,
  findService,
  takeDeployment,
} from "../../../runtime/cli/find_deployment.ts";
import type { DeploymentRecord } from "../../../runtime/launch/state.ts";
import { planOf } from "./sample_plan.ts";

function record(app: string, services: readonly string[], hidden: readonly string[] = []) {
  const plan = planOf((api) => {
    for (const name of services) api.service(name, () => 1).expose = true;
    for (const name of hidden) api.service(name, () => 1);
  }, { app });
  const methods = [...services];
  return {
    handle: {
      app,
      driver: "process",
      script: `/scripts/${app}.ts`,
      revision: plan.revision,
      doors: methods.length > 0 ? [{ address: "tcp:127.0.0.1:3000", methods }] : [],
      created: "2025-01-31T12:00:00Z",
    },
    plan,
    version: "0.0.0",
    launcher: { pid: 1, started: "" },
    control: { address: "unix:/c", secret: "" },
    sockets: "",
  } satisfies DeploymentRecord;
}

const shop = record("shop", ["users", "orders"], ["stock"]);
const search = record("search", ["search", "users"]);

function errorOf(body: () => unknown): Pick<MpError, "code" | "message" | "next"> {
  const error = assertThrows(body);
  assertInstanceOf(error, MpError);
  const { code, message, next } = error;
  return { code, message, next };
}

Deno.test("findDeployment() finds by app and by script", () => {
  assertEquals(findDeployment([shop, search], "search"), search);
  assertEquals(findDeployment([shop, search], "/scripts/shop.ts"), shop);
});

Deno.test("findDeployment() takes the only one without a name", () => {
  assertEquals(findDeployment([shop], undefined), shop);
  assertEquals(errorOf(() => findDeployment([shop, search], undefined)), {
    code: "usage",
    message: "Cannot tell which deployment is meant: 2 are running",
    next: "Name one of shop, search",
  });
});

Deno.test("findDeployment() says what the deployments have in common that it was given", () => {
  assertEquals(
    errorOf(() => findDeployment([shop, search], undefined, "have ended")).message,
    "Cannot tell which deployment is meant: 2 have ended",
  );
});

Deno.test("findDeployment() suggests the near one, or says how to start one", () => {
  assertEquals(errorOf(() => findDeployment([shop, search], "serach")), {
    code: "deployment_not_found",
    message: 'Cannot find deployment "serach": it is not running',
    next: 'Did you mean "search"?',
  });
  assertEquals(errorOf(() => findDeployment([], "x")).next, "Start one with mp run SCRIPT");
  assertEquals(errorOf(() => findDeployment([shop], "zzzzzz")).next, "Running: shop");
});

Deno.test("takeDeployment() takes the app off the words, where it stands there", () => {
  assertEquals(takeDeployment([shop, search], ["search", "a", "b"]), {
    record: search,
    rest: ["a", "b"],
  });
  assertEquals(takeDeployment([shop], ["users.0"]), { record: shop, rest: ["users.0"] });
  assertEquals(takeDeployment([shop], []), { record: shop, rest: [] });
  assertEquals(
    errorOf(() => takeDeployment([shop, search], ["users"])).code,
    "deployment_not_found",
  );
});

Deno.test("takeDeployment() asks for the app before a path, and does not take the path for one", () => {
  for (const word of ["users.0", "users.compute", "users=3", "users.compute=3"]) {
    assertEquals(errorOf(() => takeDeployment([shop, search], [word])), {
      code: "usage",
      message: "Cannot tell which deployment is meant: 2 are running",
      next: "Name one of shop, search",
    }, word);
  }
  for (const word of ["shpo", "shpo.ts", "./scripts/shop.2"]) {
    assertEquals(
      errorOf(() => takeDeployment([shop, search], [word])).message,
      `Cannot find deployment "${word}": it is not running`,
    );
  }
});

Deno.test("findService() finds the one app that exposes it", () => {
  assertEquals(findService([shop, search], "orders", undefined).record, shop);
  assertEquals(findService([shop, search], "search", undefined).record, search);
});

Deno.test("findService() asks which app is meant when several have it", () => {
  assertEquals(errorOf(() => findService([shop, search], "users", undefined)), {
    code: "usage",
    message: 'Cannot tell which "users" is meant: 2 apps have a service of that name',
    next: "Add --app, one of shop, search",
  });
  assertEquals(findService([shop, search], "users", "search").record, search);
});

Deno.test("findService() tells a hidden service from one that is not there", () => {
  assertEquals(
    errorOf(() => findService([shop, search], "stock", undefined)).message,
    'Cannot call "stock": app "shop" does not expose it',
  );
  assertEquals(errorOf(() => findService([shop, search], "order", undefined)), {
    code: "deployment_not_found",
    message: 'Cannot call "order": no running deployment has a service of that name',
    next: 'Did you mean "orders"?',
  });
  // search is a service of another app than the one that was named
  assertEquals(errorOf(() => findService([shop, search], "search", "shop")), {
    code: "deployment_not_found",
    message: 'Cannot call "search": app "shop" has no service of that name',
    next: "Exposed services: users, orders",
  });
  assertEquals(
    errorOf(() => findService([], "order", undefined)).next,
    "Start one with mp run SCRIPT",
  );
});
