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

/** The names by which scripts import them; the last is known to the other two only. */
const MODULES = {
  "mod.d.ts": "@metaparticle/mp",
  "testing.d.ts": "@metaparticle/mp/testing",
  "shared.d.ts": "@metaparticle/mp/shared",
};
/** Further names of the first. */
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
  const names = output.map(({ fileName }) => fileName);
  if (names.some((name) => !Object.hasOwn(MODULES, name))) {
    throw new Error(`Cannot make the declaration files: rollup made ${names.join(", ")}`);
  }
  const text = (name: string) =>
    output.find(({ fileName }) => fileName === name)?.code.replaceAll(IMPORTED, "'./$1.d.ts'") ??
      "export {};\n";
  const files = {
    "mod.d.ts": text("mod.d.ts"),
    "testing.d.ts": text("testing.d.ts"),
    "shared.d.ts": text("shared.d.ts"),
  };
  return { ...files, "deno.d.ts": await denoTypes(), "mp.d.ts": ambient(files, version) };
}

/** What rollup writes where one of the files imports another. */
const IMPORTED = /'\.\/(\w+)\.js'/g;

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
  files: Readonly<Record<keyof typeof MODULES, string>>,
  version: string,
): string {
  const nameOf = (file: string) => MODULES[file as keyof typeof MODULES];
  const inside = (code: string) =>
    code.replaceAll(/^(export )?declare /gm, "$1")
      .replaceAll(/'\.\/(\w+\.d\.ts)'/g, (_, file) => `"${nameOf(file)}"`)
      .replaceAll(/^(?=.)/gm, "  ").trimEnd();
  return [
    `// What scripts import of mp ${version}, for editors. Made by mp types.\n`,
    ...Object.entries(files).map(([file, code]) =>
      `declare module "${nameOf(file)}" {\n${inside(code)}\n}\n`
    ),
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
