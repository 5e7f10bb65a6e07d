/**
 * Who somebody is to a registry, as `docker login` keeps it.
 *
 * @module
 */

import { join } from "node:path";

const DOCKER_HUB = "https://index.docker.io/v1/";

interface Config {
  readonly auths?: Readonly<Record<string, { readonly auth?: string }>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

/** The header `X-Registry-Auth` for the registry of an image. */
export async function registryAuth(tag: string): Promise<string> {
  const registry = registryOf(tag);
  const config = await readConfig();
  const helper = config.credHelpers?.[registry] ?? config.credsStore;
  const login = (helper && await ask(helper, registry)) ?? kept(config, registry);
  const text = JSON.stringify(login ? { ...login, serveraddress: registry } : {});
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_");
}

/** The registry that an image's name begins with; Docker's own where it names none. */
export function registryOf(tag: string): string {
  const [first, ...rest] = tag.split("/");
  return rest.length > 0 && /[.:]|^localhost$/.test(first!) ? first! : DOCKER_HUB;
}

async function readConfig(): Promise<Config> {
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? "";
  const folder = Deno.env.get("DOCKER_CONFIG") || join(home, ".docker");
  try {
    return JSON.parse(await Deno.readTextFile(join(folder, "config.json")));
  } catch {
    return {};
  }
}

function kept({ auths = {} }: Config, registry: string) {
  const auth = auths[registry]?.auth;
  if (!auth) return undefined;
  const [username, ...password] = atob(auth).split(":");
  return { username, password: password.join(":") };
}

/** Asks the program that keeps secrets for Docker. */
async function ask(helper: string, registry: string) {
  try {
    const child = new Deno.Command(`docker-credential-${helper}`, {
      args: ["get"],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(registry));
    await writer.close();
    const { success, stdout } = await child.output();
    if (!success) return undefined;
    const { Username, Secret } = JSON.parse(new TextDecoder().decode(stdout));
    return { username: Username, password: Secret };
  } catch {
    return undefined;
  }
}
