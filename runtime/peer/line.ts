/**
 * One line of the wire, for those who look on; `channel.ts` has the format.
 *
 * @module
 */

/** What a line says. */
export type Line =
  | {
    readonly kind: "call";
    readonly id: number;
    readonly timeout: number;
    readonly meta: string;
    readonly body: string;
  }
  | { readonly kind: "result" | "error"; readonly id: number; readonly body: string }
  | { readonly kind: "cancel" | "ping" | "pong"; readonly id: number }
  | { readonly kind: "notice"; readonly target: string; readonly body: string };

const CALL = /^c(\d+) (\S+) \S* ([^\t]*)\t(.*)$/s;
const REPLY = /^[re](\d+) (.*)$/s;
const NOTICE = /^n(\S*) (.*)$/s;

/** Reads a line without its end; nothing for what is no line of the wire. */
export function readLine(text: string): Line | undefined {
  switch (text[0]) {
    case "c": {
      const [, id, timeout, meta, body] = CALL.exec(text) ?? [];
      if (id === undefined) return undefined;
      return { kind: "call", id: Number(id), timeout: Number(timeout), meta: meta!, body: body! };
    }
    case "r":
    case "e": {
      const [, id, body] = REPLY.exec(text) ?? [];
      if (id === undefined) return undefined;
      return { kind: text[0] === "r" ? "result" : "error", id: Number(id), body: body! };
    }
    case "n": {
      const [, target, body] = NOTICE.exec(text) ?? [];
      return target === undefined ? undefined : { kind: "notice", target, body: body! };
    }
    case "x":
      return { kind: "cancel", id: Number(text.slice(1)) };
    case "p":
      return { kind: "ping", id: Number(text.slice(1)) };
    case "q":
      return { kind: "pong", id: Number(text.slice(1)) };
    default:
      return undefined;
  }
}
