/**
 * JSON for people.
 *
 * @module
 */

/**
 * JSON text in which everything that fits stands on one line.
 *
 * @param value A JSON value.
 * @param width The most characters of a line.
 */
export function formatJson(value: unknown, width: number): string {
  return format(value, width, 0, 0);
}

/** @param before How much stands before the value on its line. */
function format(value: unknown, width: number, indent: number, before: number): string {
  const text = oneLine(value);
  if (typeof value !== "object" || value === null || before + text.length <= width) return text;
  const margin = " ".repeat(indent + 2);
  const inner = Array.isArray(value)
    ? value.map((item) => `${margin}${format(item, width, indent + 2, indent + 2)}`)
    : Object.entries(value).map(([key, item]) => {
      const name = `${JSON.stringify(key)}: `;
      return `${margin}${name}${format(item, width, indent + 2, indent + 2 + name.length)}`;
    });
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${inner.join(",\n")}\n${" ".repeat(indent)}${close}`;
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, item]) =>
    `${JSON.stringify(key)}: ${oneLine(item)}`
  );
  return members.length > 0 ? `{ ${members.join(", ")} }` : "{}";
}
