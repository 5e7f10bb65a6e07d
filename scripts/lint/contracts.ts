/**
 * The lint rule `mp/contracts`: files that others build on need nothing at run time.
 *
 * @module
 */

import { projectPath } from "./project_path.ts";
import { visitImports } from "./visit_imports.ts";

/** Contracts, besides every file whose module doc says "Types only". */
const CONTRACTS = new Set([
  "runtime/launch/address_book.ts",
  "runtime/launch/driver.ts",
  "runtime/plan/plan.ts",
  "runtime/replica/supervision.ts",
  "runtime/script/canonical.ts",
  "runtime/topology/context.ts",
]);

const TYPE_DECLARATIONS = new Set<string>(["TSInterfaceDeclaration", "TSTypeAliasDeclaration"]);

/** Whether a file's module doc says that it holds types only. */
function saysTypesOnly(source: string): boolean {
  const doc = /^\s*\/\*\*.*?\*\//s.exec(source)?.[0] ?? "";
  return doc.includes("@module") && /\bTypes\s+(?:\*\s+)?only\b/.test(doc);
}

/** Contract files import types only; those that say "Types only" hold nothing else either. */
export const contracts: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    if (path === undefined) return {};
    const typesOnly = saysTypesOnly(context.sourceCode.text);
    if (!typesOnly && !CONTRACTS.has(path)) return {};
    const imports = visitImports(({ node, specifier, typeOnly }) => {
      if (typeOnly) return;
      context.report({
        node,
        message: `Cannot import "${specifier}" from ${path}: a contract imports types only`,
        hint:
          "write import type, or move what needs the value to the file that carries the contract out",
      });
    });
    const reExports = imports.ExportNamedDeclaration!;
    return {
      ...imports,
      ExportNamedDeclaration(node) {
        reExports(node);
        const kind = node.declaration?.type;
        if (!typesOnly || kind === undefined || TYPE_DECLARATIONS.has(kind)) return;
        context.report({
          node,
          message: `Cannot export a value from ${path}: its doc says that it holds types only`,
          hint: "move the value to the file that carries the contract out",
        });
      },
    };
  },
};
