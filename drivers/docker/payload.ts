/**
 * What runs in containers: the executable that runs here, or its like for the engine's system.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { messageOf, MpError } from "../../runtime/errors.ts";
import type { DriverSettings } from "../../runtime/launch/driver.ts";
import { ownProgram } from "../../runtime/launch/own_program.ts";
import { REPLICA_ARGUMENT } from "../../runtime/launch/replica_arguments.ts";
import { servingHalf } from "../../runtime/launch/serving_half.ts";
import { digestOf } from "./file_digest.ts";
import { PLACES, USER } from "./manifest.ts";
import { DATA_FOLDER } from "./storage_for_containers.ts";
import type { TarEntry } from "./tar.ts";

/** What an image is made of, below the user's bundle. */
export interface Payload {
  /** The image that it begins with; nothing for none. */
  readonly from?: string;
  /** Executable, libraries, certificates, users; empty where `from` has them. */
  readonly system: readonly TarEntry[];
  /** What Deno runs, where the executable does not hold it. */
  readonly half: readonly TarEntry[];
  /** Changes whenever `from` or `system` does. */
  readonly systemDigest: string;
  /** Changes whenever anything does. */
  readonly digest: string;
  /** How a replica is started. */
  readonly command: readonly string[];
  /** What compiles `half` ahead, into {@linkcode CACHE}, when an image is made. */
  readonly warm?: readonly string[];
}

/**
 * Where Deno keeps what it has compiled: in the volume of a tree, which begins with what the image has there, for
 * it takes nothing from where it may not write.
 */
export const CACHE = `${PLACES.run}/cache`;

/** Where the engine runs containers. */
export interface Platform {
  /** As Go names it: `linux`. */
  readonly os: string;
  /** As Go names it: `amd64`, `arm64`. */
  readonly arch: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };
/** Machine numbers in the header of an executable. */
const MACHINES: Readonly<Record<number, string>> = { 0x3e: "amd64", 0xb7: "arm64" };
const FLAGS = [
  "run",
  "--quiet",
  "--allow-all",
  "--no-prompt",
  "--no-config",
  "--no-lock",
  "--unstable-net",
];
const HALF = "/mp/half";
/** An image with the C library, for an executable of another system. */
const C_LIBRARY = "gcr.io/distroless/cc-debian12";
const CERTIFICATES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];
/** Libraries that the C library loads by itself when it looks for hosts. */
const LOADED_LATER = ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"];

/**
 * What to make images of.
 *
 * @param version The version of `mp`, for the names of files.
 * @throws {MpError} `unsupported` when there is nothing for the engine's platform.
 */
export async function payloadFor(
  platform: Platform,
  { linuxBinary, baseImage }: DriverSettings,
  version: string,
): Promise<Payload> {
  const own = Deno.build.os === platform.os && ARCHITECTURES[Deno.build.arch] === platform.arch;
  const from = typeof baseImage === "string" ? baseImage : undefined;
  if (typeof linuxBinary === "string") return await ofBinary(linuxBinary, platform, own, from);
  if (from !== undefined) return await ofImage(from);
  if (own) {
    return Deno.build.standalone
      ? await ofBinary(ownProgram(), platform, own, from)
      : await ofDeno(ownProgram());
  }
  const beside = join(dirname(Deno.execPath()), `mp-${version}-${platform.os}-${platform.arch}`);
  if (await isFile(beside)) return await ofBinary(beside, platform, own, from);
  throw new MpError(
    "unsupported",
    `Cannot make an image for ${platform.os}/${platform.arch}: this mp is for ${Deno.build.os}/${
      ARCHITECTURES[Deno.build.arch] ?? Deno.build.arch
    }`,
    {
      next:
        `Name the mp for ${platform.os}/${platform.arch} with --linux-binary or MP_LINUX_BINARY, ` +
        `or put it at ${beside}, or name an image that has it with --base-image`,
    },
  );
}

async function ofDeno(executable: string): Promise<Payload> {
  return await payload({
    system: await systemOf(executable, "mp/deno"),
    half: await halfEntries(),
    ...running("/mp/deno"),
  });
}

async function ofBinary(
  file: string,
  platform: Platform,
  own: boolean,
  from: string | undefined,
): Promise<Payload> {
  await checkBinary(file, platform);
  const executable: TarEntry = { path: "mp/mp", content: { file }, mode: 0o755 };
  return await payload({
    // the libraries of another system are not here
    from: from ?? (own ? undefined : C_LIBRARY),
    system: own && from === undefined ? await systemOf(file, "mp/mp") : [executable, ...folders()],
    half: [],
    command: ["/mp/mp", REPLICA_ARGUMENT],
  });
}

async function ofImage(from: string): Promise<Payload> {
  if (Deno.build.standalone) {
    return await payload({ from, system: folders(), half: [], command: ["mp", REPLICA_ARGUMENT] });
  }
  return await payload({
    from,
    system: folders(),
    half: await halfEntries(),
    ...running("deno"),
  });
}

/** How Deno runs the serving half. */
function running(deno: string): Pick<Payload, "command" | "warm"> {
  const command = [deno, ...FLAGS, `${HALF}/replica.js`];
  return { command, warm: [...command, "warm"] };
}

async function payload(
  parts: Pick<Payload, "from" | "system" | "half" | "command" | "warm">,
): Promise<Payload> {
  const system = createHash("sha256").update(`${parts.from ?? ""}\n`);
  await addAll(system, parts.system);
  const systemDigest = system.digest("hex");
  const all = createHash("sha256").update(
    `${systemDigest}\n${
      [...parts.command, ...parts.warm ? ["as", USER, CACHE, ...parts.warm] : []].join(" ")
    }\n`,
  );
  await addAll(all, parts.half);
  return { ...parts, systemDigest, digest: all.digest("hex") };
}

/** A digest of entries, with all that is in them. */
export async function digestOfEntries(entries: readonly TarEntry[]): Promise<string> {
  const hash = createHash("sha256");
  await addAll(hash, entries);
  return hash.digest("hex");
}

async function addAll(hash: ReturnType<typeof createHash>, entries: readonly TarEntry[]) {
  for (const { path, content = "", mode, owner } of entries) {
    if (typeof content === "object" && "entries" in content) throw new TypeError("no such payload");
    const sum = typeof content === "object" && "file" in content
      ? await digestOf(content.file)
      : createHash("sha256").update(content).digest("hex");
    hash.update(`${path} ${mode ?? ""} ${owner ?? ""} ${sum}\n`);
  }
}

/** An executable of this machine with everything that it needs, as a whole system. */
async function systemOf(executable: string, path: string): Promise<TarEntry[]> {
  const libraries = await librariesOf(executable);
  const certificates = await first(CERTIFICATES);
  return [
    { path, content: { file: await Deno.realPath(executable) }, mode: 0o755 },
    ...libraries.map(({ at, file }): TarEntry => ({
      path: at.slice(1),
      content: { file },
      mode: 0o755,
    })),
    ...(certificates === undefined ? [] : [{
      path: CERTIFICATES[0]!.slice(1),
      content: { file: await Deno.realPath(certificates) },
    }]),
    { path: "etc/passwd", content: `root:x:0:0:root:/root:/\nmp:x:${USER}:${USER}:mp:/tmp:/\n` },
    { path: "etc/group", content: `root:x:0:\nmp:x:${USER}:\n` },
    { path: "etc/nsswitch.conf", content: "hosts: files dns\n" },
    { path: "tmp/", mode: 0o1777 },
    ...folders(),
  ];
}

/** The folders that volumes are mounted at, which they take their owner from. */
function folders(): TarEntry[] {
  return [PLACES.app, PLACES.run, DATA_FOLDER]
    .map((path) => ({ path: `${path.slice(1)}/`, owner: USER }));
}

interface Library {
  /** Where the executable looks for it. */
  readonly at: string;
  /** Where it is. */
  readonly file: string;
}

/** The shared libraries that an executable loads, as `ldd` lists them. */
async function librariesOf(executable: string): Promise<Library[]> {
  const { success, stdout, stderr } = await new Deno.Command("ldd", { args: [executable] }).output()
    .catch((error) => {
      throw noLibraries(executable, messageOf(error), error);
    });
  const text = new TextDecoder().decode(stdout);
  if (!success) throw noLibraries(executable, new TextDecoder().decode(stderr).trim());
  const places = parseLdd(text);
  const missing = text.split("\n").find((line) => line.includes("not found"));
  if (missing) throw noLibraries(executable, missing.trim());
  const folder = places.map((path) => dirname(path)).find((path) => path.includes("lib"));
  for (const name of LOADED_LATER) {
    const path = folder && join(folder, name);
    if (path && !places.includes(path) && await isFile(path)) places.push(path);
  }
  return await Promise.all(places.map(async (at) => ({ at, file: await Deno.realPath(at) })));
}

/** The paths in what `ldd` writes. */
export function parseLdd(text: string): string[] {
  return text.split("\n").flatMap((line) => /(?:=>\s*|^\s*)(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

function noLibraries(executable: string, why: string, cause?: unknown): MpError {
  return new MpError("unsupported", `Cannot tell which libraries "${executable}" needs: ${why}`, {
    cause,
    next: "Name an image that has them with --base-image",
  });
}

async function halfEntries(): Promise<TarEntry[]> {
  const { folder } = await servingHalf();
  // and nothing that this machine knows of them
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name)
    .filter((name) => name.endsWith(".js")).sort();
  return names.map((name) => ({
    path: `${HALF.slice(1)}/${name}`,
    content: { file: join(folder, name) },
  }));
}

/** @throws {MpError} `usage` unless it is an executable for that platform. */
async function checkBinary(path: string, { os, arch }: Platform): Promise<void> {
  const wrong = (why: string, cause?: unknown) =>
    new MpError("usage", `Cannot use the Linux binary "${path}": ${why}`, {
      cause,
      next: `Name the mp for ${os}/${arch} with --linux-binary`,
    });
  const start = new Uint8Array(20);
  try {
    using file = await Deno.open(path);
    await file.read(start);
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    throw wrong(missing ? "there is no such file" : messageOf(error), error);
  }
  const isElf = start[0] === 0x7f && new TextDecoder().decode(start.subarray(1, 4)) === "ELF";
  if (!isElf) throw wrong("it is no executable for Linux");
  const machine = MACHINES[start[18]! | start[19]! << 8];
  if (machine !== arch) throw wrong(`it is for ${machine ?? "another processor"}, not ${arch}`);
}

async function first(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await isFile(path)) return path;
  return undefined;
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isFile }) => isFile, () => false);
}

/** How a payload's executable is called, for people. */
export function describePayload({ from, command }: Payload): string {
  return from ?? basename(command[0]!);
}
