import { assertEquals } from "@std/assert";
import { telemetryEnv, telemetrySettings } from "../../../runtime/telemetry/telemetry_env.ts";

const source = { app: "shop", revision: "3f1c", path: "cart.compute", name: "cart.compute.2" };

Deno.test("telemetryEnv() names a replica where telemetry is on, and only there", () => {
  const named = {
    OTEL_SERVICE_NAME: "cart.compute",
    OTEL_RESOURCE_ATTRIBUTES:
      "service.namespace=shop,service.instance.id=cart.compute.2,service.version=3f1c",
  };
  for (const on of ["true", "TRUE", "1"]) {
    assertEquals(telemetryEnv({ OTEL_DENO: on }, source), named);
  }
  for (const off of [undefined, "", "false", "0"]) {
    assertEquals(telemetryEnv({ OTEL_DENO: off }, source), {});
  }
});

Deno.test("telemetryEnv() leaves what the environment says", () => {
  const env = {
    OTEL_DENO: "true",
    OTEL_SERVICE_NAME: "all",
    OTEL_RESOURCE_ATTRIBUTES: "team=a, service.namespace=web",
  };
  assertEquals(telemetryEnv(env, source), {
    OTEL_SERVICE_NAME: "all",
    OTEL_RESOURCE_ATTRIBUTES:
      "service.instance.id=cart.compute.2,service.version=3f1c,team=a, service.namespace=web",
  });
});

Deno.test("telemetrySettings() are the variables that begin with OTEL_", () => {
  const env = { OTEL_DENO: "true", HOTEL_DENO: "x", PATH: "/bin", OTEL_B: undefined };
  assertEquals(telemetrySettings(env), { OTEL_DENO: "true" });
});
