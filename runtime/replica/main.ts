/**
 * The main program of a replica's process.
 *
 * @module
 */

import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf, MpError } from "../errors.ts";
import type { AddressBook } from "../launch/address_book.ts";
import type { CanonicalForm } from "../script/canonical.ts";
import { installStackMapping } from "../script/stack.ts";
import { takeUncaught } from "../script/uncaught.ts";
import { sha256 } from "../sha256.ts";
import type { StorageDrivers } from "../storage/lazy_storage.ts";
import { openTracing } from "../telemetry/open_tracing.ts";
import { flushSpans } from "../telemetry/span_export.ts";
import type { CallContext } from "./call_context.ts";
import type { FATAL_EXIT } from "./environment.ts";
import { followBook } from "./follow_book.ts";
import { type FileOrText, identify, type ReplicaIdentity } from "./identity.ts";
import { markConsole } from "./marked_console.ts";
import { dieWithParent } from "./parent_death.ts";
import { passedOn, Relays, tellPassedOn } from "./relays.ts";
import { type DrainOptions, type Replica, type ReplicaOptions, startReplica } from "./replica.ts";
import { type Obedience, type Supervised, supervised } from "./supervised.ts";
import { unpacked } from "./unpack.ts";

/** How long after it is ready a replica opens its endpoint for operators, in milliseconds. */
const OPERATORS_DELAY = 200;

/** How long a door that was taken over goes on with connections that are open already, in milliseconds. */
const LINGER = 1_000;

/** See `environment.ts`. */
const FATAL: FATAL_EXIT = 78;

/**
 * Runs the replica that the environment names, until it is drained.
 *
 * @param api The scripting API's functions that are the same for every evaluation.
 * @param storages How storages are opened.
 */
export async function replicaMain(
  api: Readonly<Record<string, unknown>>,
  storages: StorageDrivers,
): Promise<void> {
  const env = Deno.env.toObject();
  const identity = identify(env, Deno.hostname);
  if (identity.parent !== undefined) dieWithParent(identity.parent);
  if (env.MP_LOG_MARKS) markOutput();
  // Ctrl-C reaches every process of a terminal; the launcher decides what it means
  Deno.addSignalListener("SIGINT", () => {});
  const { promise: running, resolve: run } = Promise.withResolvers<Replica>();
  let starting = identity.supervisor === undefined;
  // the first process of a container ends by this signal only if it listens for it
  if (starting) Deno.addSignalListener("SIGTERM", () => starting && Deno.exit(0));
  if (starting && passesOn(identity)) return passOn(identity);
  const secret = readNow(identity.secret).trim();
  const supervisor = identity.supervisor && await supervised(
    identity.supervisor,
    { replica: identity.name, pid: Deno.pid, secret },
    obey(running),
  );
  try {
    const replica = await start({ identity, secret, api, storages, env, onFault: report });
    starting = false;
    Deno.addSignalListener("SIGTERM", async () => {
      const { linger, grace } = identity;
      await Promise.all([drain(replica, { linger, leave: true }, grace), stopPassingOn(grace)]);
      Deno.exit(0);
    });
    run(replica);
    if (supervisor === undefined) return await keepItself(replica);
    await replica.ready();
    supervisor.notify("ready", {});
    // a server costs some milliseconds, in which callers can be answered already
    setTimeout(() => replica.openForOperators(), OPERATORS_DELAY);
  } catch (error) {
    await fail(error, identity, supervisor);
  }
}

/** What a supervisor would see to. */
async function keepItself(replica: Replica): Promise<void> {
  const { book, revision } = replica.identity;
  const following = new AbortController();
  if ("file" in book) {
    const { signal } = following;
    followBook(book.file, {
      revision,
      signal,
      onBook: (next) => {
        replica.follow(next);
        retire(replica, next);
      },
    });
  }
  // those who look at it are told what is missing until it is ready
  replica.openForOperators();
  try {
    await replica.ready();
    await replica.openDoors();
    replica.begun = true;
  } catch (error) {
    following.abort();
    // it drains already
    if (draining === undefined) throw error;
  }
}

const relays = new Relays();

/** Whether all that is left for this replica to do is to pass doors on. */
function passesOn({ book, path }: ReplicaIdentity): boolean {
  return "file" in book && passedOn(JSON.parse(readNow(book)) as AddressBook, path).length > 0;
}

/** Passes doors on, without the script. */
function passOn({ book, path, revision, grace }: ReplicaIdentity): void {
  if (!("file" in book)) return;
  Deno.addSignalListener("SIGTERM", async () => {
    await stopPassingOn(grace);
    Deno.exit(0);
  });
  const follow = (next: AddressBook) => {
    relays.follow(next, path);
    tellPassedOn(next);
  };
  follow(JSON.parse(readNow(book)) as AddressBook);
  followBook(book.file, { revision, onBook: follow, signal: new AbortController().signal });
}

/** Passes doors on to the tree that has taken them over; the replica answers what has come, and is one no more. */
async function retire(replica: Replica, book: AddressBook): Promise<void> {
  const { path, grace } = replica.identity;
  if (!relays.follow(book, path)) return;
  await drain(replica, { linger: LINGER, leave: true }, grace);
  await tellPassedOn(book);
}

function stopPassingOn(grace: number): Promise<void> {
  return relays.drain(AbortSignal.timeout(grace));
}

async function start(
  options: Omit<ReplicaOptions, "form" | "bundle" | "book" | "tracing">,
): Promise<Replica> {
  const { identity } = options;
  const bundlePath = await unpacked(identity.bundle, "bundle.mjs");
  // one that is missing costs stack traces their lines, and nothing else
  const mapPath = await unpacked(identity.sourceMap, "bundle.mjs.map")
    .catch(() => identity.sourceMap);
  const bundleUrl = pathToFileURL(bundlePath).href;
  installStackMapping({
    bundleUrl,
    map: () => Deno.readTextFileSync(mapPath),
    root: dirname(identity.script),
    runtimeUrl: new URL(".", import.meta.url).href,
  });
  takeUncaught((error, kind) => {
    console.error(
      `error: Uncaught ${kind === "rejection" ? "(in promise) " : ""}${stackOf(error)}`,
    );
    Deno.exit(1);
  });
  const [code, { default: form }, book, tracing] = await Promise.all([
    Deno.readFile(bundlePath),
    import(bundleUrl) as Promise<{ default: CanonicalForm }>,
    "text" in identity.book ? identity.book.text : Deno.readTextFile(identity.book.file),
    openTracing(),
  ]);
  return await startReplica({
    ...options,
    form,
    tracing,
    bundle: await sha256(code),
    book: JSON.parse(book) as AddressBook,
  });
}

/** Does what the supervisor asks, as soon as the replica runs. */
function obey(running: Promise<Replica>): Obedience {
  return {
    async book(book) {
      (await running).follow(book);
      return null;
    },
    async up(names) {
      (await running).switchboard.up(names);
      return null;
    },
    async listen({ address, takeOver }) {
      return { address: await (await running).open(address, takeOver) };
    },
    async drain({ grace, linger = 0, leave = false }) {
      await drain(await running, { linger, leave }, grace);
      // the reply leaves first
      setTimeout(() => Deno.exit(0), 0);
      return null;
    },
  };
}

let draining: Promise<void> | undefined;

function drain(replica: Replica, how: DrainOptions, grace: number): Promise<void> {
  return draining ??= replica.drain(how, AbortSignal.timeout(grace)).then(flushSpans);
}

/** An error that user code threw while it answered a call goes to the replica's log, with its stack. */
function report(error: unknown, context: CallContext): void {
  const { service, requestId } = context;
  const text = `error: Cannot answer "${service}" (request ${requestId}): ${stackOf(error)}`;
  // as a line of that call
  context.run(() => console.error(text), undefined);
}

/** What is printed in a call is marked with its request, for the launcher. */
function markOutput(): void {
  const encoder = new TextEncoder();
  markConsole({
    console,
    write: (stream, text) => {
      Deno[stream].writeSync(encoder.encode(text));
    },
  });
}

async function fail(
  error: unknown,
  identity: ReplicaIdentity,
  supervisor: Supervised | undefined,
): Promise<never> {
  const known = error instanceof MpError;
  console.error(
    known
      ? `error: ${error.message}${error.next ? `\n  → ${error.next}` : ""}`
      : `error: Cannot start ${identity.name}: ${stackOf(error)}`,
  );
  const data = known
    ? error.toData()
    : { code: "script_failed" as const, message: messageOf(error) };
  supervisor?.notify("failed", {
    ...data,
    replica: identity.name,
    fatal: isFatal(error),
  });
  await supervisor?.flush();
  Deno.exit(isFatal(error) ? FATAL : 1);
}

/** Whether it would fail in the same way again. */
function isFatal(error: unknown): boolean {
  return error instanceof MpError &&
    (error.code === "revision_mismatch" || error.code === "launch_failed");
}

function readNow(from: FileOrText): string {
  return "text" in from ? from.text : Deno.readTextFileSync(from.file);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : messageOf(error);
}
