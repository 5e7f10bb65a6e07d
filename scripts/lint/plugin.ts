/**
 * The project's own lint rules; `deno lint` runs them.
 *
 * @module
 */

import { contracts } from "./contracts.ts";
import { fileName } from "./file_name.ts";
import { judgeImport, layerOf } from "./layers.ts";
import { projectPath } from "./project_path.ts";
import { visitImports } from "./visit_imports.ts";

/** Keeps the directions of imports between the layers. */
const layers: Deno.lint.Rule = {
  create(context) {
    const from = projectPath(context.filename);
    if (from === undefined) return {};
    return visitImports(({ node, specifier }) => {
      const wrong = judgeImport(from, specifier);
      if (wrong === undefined) return;
      const message = `Cannot import "${specifier}" from ${from}: ${wrong}`;
      context.report({ node, message, hint: layerOf(from)?.why });
    });
  },
};

/** A name says at the import what a thing is; a default export has none. */
const noDefaultExport: Deno.lint.Rule = {
  create(context) {
    const report = (node: Deno.lint.Node) =>
      context.report({
        node,
        message: "Cannot export a default: it has no name",
        hint: "export it by its name, the one that its file has",
      });
    return {
      ExportDefaultDeclaration: report,
      ExportSpecifier(node) {
        if (node.exported.type === "Identifier" && node.exported.name === "default") report(node);
      },
    };
  },
};

// deno-lint-ignore mp/no-default-export -- Deno takes a plugin from its default export
export default {
  name: "mp",
  rules: { layers, contracts, "file-name": fileName, "no-default-export": noDefaultExport },
} satisfies Deno.lint.Plugin;
