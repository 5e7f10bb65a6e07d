/**
 * Finds everything that a file imports, in whatever form.
 *
 * @module
 */

/** One import, of a specifier that is written out. */
export interface FoundImport {
  readonly node: Deno.lint.Node;
  readonly specifier: string;
  /** Whether it is gone when the types are. */
  readonly typeOnly: boolean;
}

/** A lint visitor that calls `found` for static and dynamic imports, re-exports, type imports and `require()`. */
export function visitImports(found: (found: FoundImport) => void): Deno.lint.LintVisitor {
  const report = (node: Deno.lint.Node, specifier: unknown, typeOnly: boolean) => {
    if (typeof specifier === "string") found({ node, specifier, typeOnly });
  };
  return {
    ImportDeclaration: (node) => report(node, node.source.value, node.importKind === "type"),
    ExportAllDeclaration: (node) => report(node, node.source.value, node.exportKind === "type"),
    ExportNamedDeclaration: (node) => report(node, node.source?.value, node.exportKind === "type"),
    ImportExpression: (node) => report(node, literal(node.source), false),
    TSImportType: (node) => report(node, literal(node.argument), true),
    CallExpression(node) {
      const { callee } = node;
      if (callee.type !== "Identifier" || callee.name !== "require") return;
      report(node, literal(node.arguments[0]), false);
    },
  };
}

function literal(node: unknown): unknown {
  const { type, value, literal: inner } = (node ?? {}) as {
    type?: string;
    value?: unknown;
    literal?: unknown;
  };
  if (type === "TSLiteralType") return literal(inner);
  return type === "Literal" ? value : undefined;
}
