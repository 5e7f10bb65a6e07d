/**
 * Who called whom, from what goes over the network.
 *
 * @module
 */

import type { Fate, Message } from "../drivers/memory/network.ts";
import { decodeMeta } from "../runtime/replica/call_meta.ts";
import type { ReplicaCall } from "./app.ts";

/** Calls by the replica that was called. */
export class CallLog {
  #calls = new Map<string, Noted[]>();
  #open = new Map<string, Noted>();

  /** Notes a message; it is an `OnMessage`. */
  readonly note = ({ connection, from, to, line }: Message, fate: Fate): void => {
    if (fate === "held") return;
    switch (line.kind) {
      case "call": {
        if (fate === "lost") return;
        const { requestId } = decodeMeta(line.meta);
        const call: Noted = { from, requestId, body: line.body };
        const calls = this.#calls.get(to);
        if (calls) calls.push(call);
        else this.#calls.set(to, [call]);
        this.#open.set(`${connection} ${from} ${line.id}`, call);
        return;
      }
      case "result":
      case "error": {
        const key = `${connection} ${to} ${line.id}`;
        const call = this.#open.get(key);
        this.#open.delete(key);
        if (call) call.reply = { kind: line.kind, body: line.body };
        return;
      }
    }
  };

  /** The calls that a replica was sent. */
  of(replica: string): ReplicaCall[] {
    return (this.#calls.get(replica) ?? []).map(({ from, requestId, body, reply }) => ({
      from,
      requestId,
      request: decode(body),
      answered: reply !== undefined,
      ...(reply?.kind === "result" && { response: decode(reply.body) }),
      ...(reply?.kind === "error" && { error: decode(reply.body) as ReplicaCall["error"] }),
    }));
  }
}

interface Noted {
  readonly from: string;
  readonly requestId: string;
  readonly body: string;
  reply?: { readonly kind: "result" | "error"; readonly body: string };
}

function decode(body: string): unknown {
  return body === "" ? undefined : JSON.parse(body);
}
