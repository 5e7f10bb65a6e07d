/**
 * How much a replica does at a time: calls beyond it wait for their turn, and beyond that they are refused,
 * at once and with a word on when to come back. So what is too much is felt by who causes it, and memory
 * does not grow.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { Payload } from "../payload.ts";
import { deadlines, Timed } from "../peer/deadlines.ts";
import { withFate } from "../peer/fate.ts";
import type { RpcMetrics } from "../rpc/metrics.ts";
import type { CallContext, Dependent } from "./call_context.ts";
import type { Responder } from "./responder.ts";

/** What a replica does that has no limit of its own, and what a router does. */
const DEFAULT_CONCURRENT = 10_000;
const LONGEST_HINT = 30_000;
/** How much the last call counts for how long calls take. */
const WEIGHT = 0.1;

/** Options of {@linkcode limited}. */
export interface LimitOptions {
  readonly maxConcurrent?: number;
  readonly maxQueued?: number;
  readonly metrics: Pick<RpcMetrics, "shed" | "queued">;
}

/** A responder that answers so many calls at a time, and lets so many wait. */
export function limited(respond: Responder, options: LimitOptions): Responder {
  const { metrics } = options;
  const maxConcurrent = options.maxConcurrent ?? DEFAULT_CONCURRENT;
  const maxQueued = options.maxQueued ?? maxConcurrent;
  const queue = new Set<Queued>();
  let running = 0;
  let isStarting = false;
  /** How long a call takes, in milliseconds; observed only where there is a queue worth the name. */
  let usual = 0;

  const answer: Responder = (payload, context) => {
    const started = options.maxConcurrent === undefined ? 0 : performance.now();
    running++;
    let reply: Promise<Payload> | Payload;
    try {
      reply = respond(payload, context);
    } catch (error) {
      leave(started);
      throw error;
    }
    if (reply instanceof Promise) leaveLater(reply, started);
    else leave(started);
    return reply;
  };

  const leave = (started: number): void => {
    if (started > 0) usual += (performance.now() - started - usual) * WEIGHT;
    running--;
    if (queue.size > 0) startQueued();
  };

  /** Apart, since a function that may make closures costs what they hold on to even when it makes none. */
  const leaveLater = (reply: Promise<Payload>, started: number): void => {
    const settled = () => leave(started);
    reply.then(settled, settled);
  };

  /** Not within itself, however many there are that are answered at once. */
  const startQueued = (): void => {
    if (isStarting) return;
    isStarting = true;
    for (const queued of queue) {
      if (running >= maxConcurrent) break;
      queued.start();
    }
    isStarting = false;
  };

  const wait = (payload: Payload, context: CallContext): Promise<Payload> => {
    if (queue.size >= maxQueued) {
      metrics.shed++;
      throw overloaded(context, maxConcurrent, queue.size, usual);
    }
    return new Promise((resolve, reject) => {
      const take = () => {
        queue.delete(queued);
        metrics.queued--;
      };
      const start = () => {
        try {
          resolve(answer(payload, context));
        } catch (error) {
          reject(error);
        }
      };
      const queued = new Queued({ context, take, start, reject });
      queue.add(queued);
      metrics.queued++;
    });
  };

  return (payload, context) =>
    running < maxConcurrent ? answer(payload, context) : wait(payload, context);
}

interface QueuedOptions {
  readonly context: CallContext;
  /** Takes it out of the queue. */
  readonly take: () => void;
  readonly start: () => void;
  readonly reject: (error: MpError) => void;
}

/** A call that waits for its turn, until its caller goes away or its deadline passes. */
class Queued extends Timed implements Dependent {
  previousDependent: Dependent | undefined = undefined;
  nextDependent: Dependent | undefined = undefined;
  #options: QueuedOptions;

  constructor(options: QueuedOptions) {
    super();
    this.#options = options;
    options.context.adopt(this);
    deadlines.add(this, options.context.remaining);
  }

  start(): void {
    this.#leave();
    this.#options.start();
  }

  cancel(reason: MpError): void {
    this.#leave();
    this.#options.reject(reason);
  }

  override expire(): void {
    const { service, replica } = this.#options.context;
    this.cancel(
      new MpError(
        "deadline_exceeded",
        `Cannot call "${service}": all its time went by before ${replica.name} had time for it`,
        { service, replica: replica.name, reason: "timed out" },
      ),
    );
  }

  #leave(): void {
    deadlines.remove(this);
    this.#options.context.release(this);
    this.#options.take();
  }
}

function overloaded(
  { service, replica }: CallContext,
  maxConcurrent: number,
  queued: number,
  usual: number,
): MpError {
  const retryAfter = Math.ceil(Math.min(usual * (queued + 1) / maxConcurrent + 1, LONGEST_HINT));
  const error = new MpError(
    "overloaded",
    `Cannot call "${service}": ${replica.name} answers ${maxConcurrent} calls and has ${queued} waiting`,
    { service, replica: replica.name, retryAfter },
  );
  return withFate(error, "unstarted");
}
