/**
 * What Deno's telemetry is told by the environment. Pure.
 *
 * @module
 */

type Env = Readonly<Record<string, string | undefined>>;

/** Who exports. */
export interface TelemetrySource {
  readonly app: string;
  readonly revision: string;
  /** The subservice, `histogram-service.scatter`. */
  readonly path: string;
  /** The replica, `histogram-service.scatter.3`. */
  readonly name: string;
}

/** The variables of an environment that configure telemetry, all that begin with `OTEL_`. */
export function telemetrySettings(env: Env): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] =>
      entry[0].startsWith("OTEL_") && entry[1] !== undefined
    ),
  );
}

/**
 * What a replica's environment needs to be told from others where its telemetry is collected; nothing
 * where telemetry is off. What the environment says already stays.
 *
 * @param env The environment that the replica would have.
 */
export function telemetryEnv(
  env: Env,
  { app, revision, path, name }: TelemetrySource,
): Record<string, string> {
  if (!/^(1|true)$/i.test(env.OTEL_DENO ?? "")) return {};
  const given = env.OTEL_RESOURCE_ATTRIBUTES ?? "";
  const keys = given.split(",").map((pair) => pair.split("=")[0]!.trim());
  const own = {
    "service.namespace": app,
    "service.instance.id": name,
    "service.version": revision,
  };
  const added = Object.entries(own).filter(([key]) => !keys.includes(key))
    .map(([key, value]) => `${key}=${value}`);
  return {
    OTEL_SERVICE_NAME: env.OTEL_SERVICE_NAME || path,
    OTEL_RESOURCE_ATTRIBUTES: [...added, ...(given === "" ? [] : [given])].join(","),
  };
}
