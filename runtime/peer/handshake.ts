/**
 * How two replicas of a deployment make sure that they belong together.
 *
 * The caller's first line is a `hello` with the deployment's secret and its revision; the answer is
 * `welcome` or `refused`. Nothing else is served before.
 *
 * @module
 */

import { type ErrorData, MpError } from "../errors.ts";
import { Channel, type ChannelHandlers } from "./channel.ts";
import type { Connection } from "./connection.ts";
import { deadlines, Timed } from "./deadlines.ts";

/** The notice by which a replica that ends, while its callers stay, sends them elsewhere. */
export const LEAVING = "leaving";

/** The target by which a replica itself is asked what it is missing, rather than its handler. */
export const SURVEY = "survey";

/** The notice by which a replica hands a scope on to another. */
export const HANDED_ON = "handed-on";

/** Who calls. */
export interface Hello {
  readonly secret: string;
  readonly revision: string;
  /** The caller's name, `histogram-service.gather.0`. */
  readonly from: string;
  /** `part` when the plan says that the caller needs this replica, `service` for other calls. */
  readonly as: "part" | "service";
}

/** What the two sides must agree on. */
export type Credentials = Pick<Hello, "secret" | "revision">;

/** After how long a replica that owes an answer is asked for a sign of life, in milliseconds. */
const ASK_AFTER = 500;

/** How long a caller may take to say hello, in milliseconds. */
const HELLO_WITHIN = 10_000;

/** Answers the first line of a caller; `accept` gives the handlers of the accepted channel. */
export function admit(
  conn: Connection,
  own: Credentials & { readonly name: string },
  accept: (hello: Hello, channel: Channel) => ChannelHandlers,
): Channel {
  let accepted: ChannelHandlers | undefined;
  const silence = new Silence(() => channel.close());
  const channel: Channel = new Channel(conn, {
    onCall(target, body, call) {
      if (accepted?.onCall) return accepted.onCall(target, body, call);
      throw new MpError("unauthorized", "Cannot answer: the caller did not say hello");
    },
    onNotice(target, body) {
      if (accepted) return accepted.onNotice?.(target, body);
      const refusal = target === "hello" ? judge(body, own) : notHello();
      if (refusal instanceof MpError) {
        channel.notify("refused", JSON.stringify(refusal.toData()));
        channel.flush().then(() => channel.close());
        return;
      }
      deadlines.remove(silence);
      accepted = accept(refusal, channel);
      channel.notify("welcome", JSON.stringify({ replica: own.name }));
    },
    onClose(reason) {
      deadlines.remove(silence);
      accepted?.onClose?.(reason);
    },
  }, { name: "a caller" });
  deadlines.add(silence, HELLO_WITHIN);
  return channel;
}

/** A caller that has said nothing yet. */
class Silence extends Timed {
  constructor(override readonly expire: () => void) {
    super();
  }
}

/** Options of {@linkcode introduce}. */
export interface IntroduceOptions {
  /** Who is called, for messages. */
  readonly name: string;
  /** Called once, when the connection has ended. */
  readonly onClose: (reason: MpError | undefined) => void;
  /** Called when the other side ends soon, and wants no more calls. */
  readonly onLeaving?: () => void;
  /** Called when the other side begins no more calls. */
  readonly onLast?: () => void;
  /** Gives up waiting for the answer; no longer heeded afterwards. */
  readonly signal?: AbortSignal;
}

/**
 * Says hello over a connection and waits for the answer.
 *
 * @throws {MpError} `revision_mismatch`, `unauthorized`, or `replica_unreachable`.
 */
export async function introduce(
  conn: Connection,
  hello: Hello,
  options: IntroduceOptions,
): Promise<Channel> {
  const { name, onClose, onLeaving, onLast, signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const channel = new Channel(conn, {
    onNotice(target, body) {
      if (target === "welcome") resolve();
      if (target === LEAVING) onLeaving?.();
      if (target === "refused") reject(MpError.fromData(JSON.parse(body) as ErrorData));
    },
    onLast,
    onClose(reason) {
      reject(reason ?? new MpError("replica_unreachable", `Cannot reach ${name}: closed`));
      onClose(reason);
    },
  }, { name, askAfter: ASK_AFTER });
  const giveUp = () => channel.close();
  if (signal?.aborted) giveUp();
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    channel.notify("hello", JSON.stringify(hello));
    await promise;
    return channel;
  } catch (error) {
    channel.close();
    throw error;
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
}

function judge(body: string, own: Credentials): Hello | MpError {
  let hello: Partial<Hello>;
  try {
    hello = JSON.parse(body) as Partial<Hello>;
  } catch {
    return notHello();
  }
  if (typeof hello?.secret !== "string" || !equalInConstantTime(hello.secret, own.secret)) {
    return new MpError(
      "unauthorized",
      "Cannot admit the caller: it does not belong to this deployment",
    );
  }
  if (hello.revision !== own.revision) {
    return new MpError(
      "revision_mismatch",
      `Cannot admit the caller: its revision is ${hello.revision}, not ${own.revision}`,
    );
  }
  return hello as Hello;
}

function notHello(): MpError {
  return new MpError("unauthorized", "Cannot admit the caller: it did not say hello");
}

/** Whether two secrets are equal; how long it takes tells nothing but their lengths. */
export function equalInConstantTime(given: string, own: string): boolean {
  let difference = given.length ^ own.length;
  for (let i = 0; i < own.length; i++) difference |= given.charCodeAt(i) ^ own.charCodeAt(i);
  return difference === 0;
}
