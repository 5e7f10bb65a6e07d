// --check, by whatever is at hand: Deno where mp runs from source.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { mpSandbox } from "../support/mp.ts";

const script = (type: string) =>
  `import * as mp from "@metaparticle/mp";
import { n } from "./n.ts";
declare module "@metaparticle/mp" {
  interface Scopes {
    global: { count?: number };
  }
}
export const count: ${type} = await Promise.resolve(n);
mp.service("count", () => mp.scope.global.count ?? 0);
mp.serve();
`;

Deno.test("mp plan --check says what types are wrong, and mp types writes by what it checks", async () => {
  await using sandbox = await mpSandbox();
  await sandbox.write("n.ts", "export const n = 1;\n");
  await sandbox.write("count.ts", script("string"));
  const env = { PATH: Deno.execPath().replace(/[^/\\]+$/, "") };
  const unchecked = await sandbox.run(["plan", "count.ts"], { env });
  assertEquals(unchecked.code, 0, unchecked.stderr);
  const wrong = await sandbox.run(["plan", "count.ts", "--check"], { env });
  assertEquals([wrong.code, wrong.stdout], [1, ""]);
  assertStringIncludes(wrong.stderr, 'error: Cannot accept "count.ts": its types are wrong');
  assertStringIncludes(wrong.stderr, "Type 'number' is not assignable to type 'string'");
  assertStringIncludes(wrong.stderr, "count.ts:8");
  assertStringIncludes(wrong.stderr, "→ Correct the types, or run it without --check");
  await sandbox.write("count.ts", script("number"));
  const right = await sandbox.run(["plan", "count.ts", "--check"], { env });
  assertEquals([right.code, right.stderr], [0, ""]);

  // the project's own import map and options count
  await sandbox.write(
    "deno.json",
    JSON.stringify({ imports: { n: "./n.ts" }, compilerOptions: { noUnusedLocals: true } }),
  );
  const mapped = script("number").replace("./n.ts", "n");
  await sandbox.write("count.ts", mapped);
  const own = await sandbox.run(["plan", "count.ts", "--check"], { env });
  assertEquals([own.code, own.stderr], [0, ""]);
  await sandbox.write("count.ts", `const unused = 1;\n${mapped}`);
  const unused = await sandbox.run(["plan", "count.ts", "--check"], { env });
  assertEquals(unused.code, 1);
  assertStringIncludes(unused.stderr, "'unused' is declared but its value is never read");

  // the same declarations, for editors
  const types = await sandbox.run(["types", "-"]);
  assertEquals([types.code, types.stderr], [0, ""]);
  for (
    const name of ["@metaparticle/mp", "@metaparticle/mp/testing", "mp", "jsr:@metaparticle/mp"]
  ) assertStringIncludes(types.stdout, `declare module "${name}" {`);
  const api = await import("../../mod.ts");
  for (const name of Object.keys(api)) assertStringIncludes(types.stdout, name);
});
