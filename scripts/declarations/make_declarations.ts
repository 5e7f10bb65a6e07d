/**
 * The declaration files of what scripts and tests import, made of the source tree.
 *
 * @module
 */

import { isAbsolute, join } from "@std/path";
import { dts, rollup } from "./rollup_library.ts";

/** Declaration files, by name. */
export interface Declarations {
  /** Of `@metaparticle/mp`. */
  readonly "mod.d.ts": string;
  /** Of `@metaparticle/mp/testing`. */
  readonly "testing.d.ts": string;
  /** What these two have in common. */
  readonly "shared.d.ts": string;
  /** Of what the runtime has, for editors that do not know it. */
  readonly "deno.d.ts": string;
  /** All of the API in one file that declares the modules by their names. */
  readonly "mp.d.ts": string;
}

/** The names by which scripts import it, and what they stand for; the last are aliases. */
const MODULES = { "mod.d.ts": "@metaparticle/mp", "testing.d.ts": "@metaparticle/mp/testing" };
const SHARED = "@metaparticle/mp/shared";
const ALIASES = ["mp", "jsr:@metaparticle/mp", "npm:@metaparticle/mp"];

/**
 * Makes them.
 *
 * @param root The folder of the source tree.
 * @param version The version of `mp`, to be told in them.
 */
export async function makeDeclarations(root: string, version: string): Promise<Declarations> {
  const bundle = await rollup({
    input: { mod: join(root, "mod.ts"), testing: join(root, "testing.ts") },
    external: (id) => !/^\.{0,2}\//.test(id) && !isAbsolute(id),
    // that parts are not exported by name is how the API is meant
    onwarn({ message }) {
      if (!message.includes("private shared type exports")) throw new Error(message);
    },
    plugins: [dts({ tsconfig: false, compilerOptions: COMPILER_OPTIONS })],
  });
  const { output } = await bundle.generate({
    format: "es",
    entryFileNames: "[name].d.ts",
    chunkFileNames: "shared.d.ts",
    minifyInternalExports: false,
  });
  await bundle.close();
  const [mod, testing, shared] = ["mod.d.ts", "testing.d.ts", "shared.d.ts"].map((name) => {
    const code = output.find(({ fileName }) => fileName === name)?.code;
    if (code !== undefined && output.length === 3) {
      return code.replaceAll("./shared.js", "./shared.d.ts");
    }
    throw new Error(`Cannot make ${name}: rollup made ${output.map(({ fileName }) => fileName)}`);
  }) as [string, string, string];
  const files = { "mod.d.ts": mod, "testing.d.ts": testing, "shared.d.ts": shared };
  return { ...files, "deno.d.ts": await denoTypes(), "mp.d.ts": ambient(files, version) };
}

const COMPILER_OPTIONS = {
  allowImportingTsExtensions: true,
  strict: true,
  lib: ["lib.esnext.d.ts", "lib.dom.d.ts"],
  target: 99, // esnext
  module: 99, // esnext
  moduleResolution: 100, // bundler
  resolveJsonModule: true,
  skipLibCheck: true,
  types: [],
};

/** The same as declarations of modules by name: a file that an editor has only to see. */
function ambient(
  files: Readonly<Record<"mod.d.ts" | "testing.d.ts" | "shared.d.ts", string>>,
  version: string,
): string {
  const inside = (code: string) =>
    code.replaceAll(/^(export )?declare /gm, "$1").replaceAll("./shared.d.ts", SHARED)
      .replaceAll(/^(?=.)/gm, "  ").trimEnd();
  const module = (name: string, code: string) => `declare module "${name}" {\n${inside(code)}\n}\n`;
  return [
    `// What scripts import of mp ${version}, for editors. Made by mp types.\n`,
    ...Object.entries(MODULES).map(([file, name]) =>
      module(name, files[file as keyof typeof MODULES])
    ),
    module(SHARED, files["shared.d.ts"]),
    ...ALIASES.map((name) =>
      `declare module "${name}" {\n  export * from "@metaparticle/mp";\n}\n`
    ),
  ].join("\n");
}

/** What `deno types` prints: everything that is global in a script. */
async function denoTypes(): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["types"],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(`Cannot get the types of Deno: ${decoder.decode(stderr)}`);
}
