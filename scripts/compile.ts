/**
 * Makes one executable of the program: `deno task compile [--target TARGET] [--output FILE]`.
 *
 * The code is bundled first, so that only what is reachable goes in; `deno compile` then appends it to a
 * base, a Deno without its tools. `DENORT_BIN` names one; otherwise Deno downloads it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { parseArgs } from "@std/cli/parse-args";
import { basename, dirname, fromFileUrl, join, resolve } from "@std/path";
import config from "../deno.json" with { type: "json" };
import { messageOf } from "../runtime/errors.ts";
import { stopBundler, warmUpBundler } from "../runtime/script/bundler.ts";
import { makeDeclarations } from "./declarations/make_declarations.ts";
import { denoCompile, ensureBase } from "./compile/deno_compile.ts";
import { systemOfFile } from "./compile/program_system.ts";
import { stageCode, stageFiles, type StageFilesOptions, stagePackage } from "./compile/stage.ts";
import { type Target, TARGETS } from "./compile/targets.ts";

const root = fromFileUrl(new URL("../", import.meta.url));
const own = TARGETS.find(({ name }) => name === Deno.build.target);

const USAGE = `Usage: deno task compile [--target TARGET]... [--output FILE]

  --target TARGET  The system that it is for: ${own ? "this one unless given, " : ""}all, or some of
                   ${TARGETS.map(({ name }) => name).join("\n                   ")}
  --output FILE    Default: dist/mp, or dist/mp-TARGET. A folder when it ends with a slash

Beside each file, FILE.sha256 has its checksum, for sha256sum -c.
DENORT_BIN names the base executable, of one target; without it, Deno downloads it.`;

/** What is to be made. */
interface Order {
  readonly target: Target;
  readonly file: string;
}

function parse(args: readonly string[]) {
  const unknown: string[] = [];
  const options = parseArgs(args, {
    string: ["target", "output"],
    collect: ["target"],
    boolean: ["help"],
    unknown(arg) {
      unknown.push(arg);
      return false;
    },
  });
  return { ...options, unknown };
}

/** @throws {TypeError} What is wrong with the arguments. */
function ordersOf(names: readonly string[], output: string | undefined): Order[] {
  const targets = names.includes("all") ? TARGETS : names.map((name) => {
    const target = TARGETS.find((target) => target.name === name);
    if (target) return target;
    throw new TypeError(`there is no target "${name}"`);
  });
  if (targets.length === 0 && own === undefined) {
    throw new TypeError(`there is no base for ${Deno.build.target}, name another --target`);
  }
  const folder = output === undefined || /[\\/]$/.test(output);
  if (targets.length > 1 && !folder) {
    throw new TypeError("--output names one file, but there are several targets");
  }
  if (targets.length > 1 && Deno.env.get("DENORT_BIN")) {
    throw new TypeError("DENORT_BIN names the base of one target, but there are several");
  }
  const given = output && resolve(Deno.env.get("INIT_CWD") || ".", output);
  if (targets.length === 0) {
    const file = `mp${own!.suffix}`;
    return [{ target: own!, file: given && !folder ? given : join(given ?? `${root}dist`, file) }];
  }
  return targets.map((target) => ({
    target,
    file: given && !folder
      ? given
      : join(given ?? `${root}dist`, `mp-${target.name}${target.suffix}`),
  }));
}

async function main(): Promise<number> {
  const { target = [], output, help, unknown } = parse(Deno.args);
  if (help) {
    console.log(USAGE);
    return 0;
  }
  const base = Deno.env.get("DENORT_BIN");
  if (!base) Deno.env.delete("DENORT_BIN"); // Deno would look for a file without a name
  let orders: Order[];
  try {
    if (unknown.length > 0) throw new TypeError(`unknown argument "${unknown[0]}"`);
    if (base && !await Deno.stat(base).then(({ isFile }) => isFile, () => false)) {
      throw new TypeError(`DENORT_BIN is "${base}", and there is no such file`);
    }
    orders = ordersOf(target, output);
    if (base) await checkBase(base, orders[0]!.target);
  } catch (error) {
    console.error(`Cannot compile: ${messageOf(error)}\n\n${USAGE}`);
    return 2;
  }
  const stage = await Deno.makeTempDir({ prefix: "mp-stage-" });
  try {
    await make(orders, stage);
    return 0;
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  } finally {
    await stopBundler();
    await Deno.remove(stage, { recursive: true });
  }
}

/** @throws {TypeError} When it is the base of another target: what came of it would not run there. */
async function checkBase(base: string, { name }: Target): Promise<void> {
  const system = await systemOfFile(base);
  if (system === name) return;
  throw new TypeError(
    `DENORT_BIN is ${
      system ? `a base for ${system}` : "no program that is known"
    }, not for ${name}`,
  );
}

async function make(orders: readonly Order[], stage: string): Promise<void> {
  for (const { target } of orders) await ensureBase(target);
  const { version: esbuildVersion } = await warmUpBundler();
  const packageFolder = `${stage}-package`;
  await Deno.mkdir(packageFolder);
  try {
    const declarations = { ...await makeDeclarations(root, config.version) };
    await stagePackage({ root, folder: packageFolder, declarations });
    await stageCode(root, stage);
    for (const order of orders) {
      await makeOne(order, { root, stage, esbuildVersion, packageFolder });
    }
  } finally {
    await Deno.remove(packageFolder, { recursive: true });
    await Deno.remove(`${stage}-before`, { recursive: true }).catch(() => {});
  }
}

async function makeOne(
  { target, file }: Order,
  options: Omit<StageFilesOptions, "target">,
): Promise<void> {
  const { embedded: { digest }, before } = await stageFiles({ ...options, target });
  await Deno.mkdir(dirname(file), { recursive: true });
  await denoCompile({ stage: options.stage, file, target, before });
  const bytes = await Deno.readFile(file);
  const checksum = createHash("sha256").update(bytes).digest("hex");
  await Deno.writeTextFile(`${file}.sha256`, `${checksum}  ${basename(file)}\n`);
  const size = `${(bytes.length / 1e6).toFixed(1)} MB`;
  console.error(`Compiled ${file}: ${target.name}, ${size}, digest ${digest.slice(0, 12)}`);
}

Deno.exit(await main());
