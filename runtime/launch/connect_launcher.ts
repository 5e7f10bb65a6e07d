/**
 * The launcher of a deployment, from another process.
 *
 * @module
 */

import { messageOf, MpError } from "../errors.ts";
import { dial } from "../peer/address.ts";
import { Channel } from "../peer/channel.ts";
import { type ErrorRecord, fromErrorRecord } from "./error_record.ts";
import { feed } from "./feed.ts";
import type { Launcher, News } from "./launcher.ts";
import type { DeploymentRecord } from "./state.ts";

/** A call may take as long as replicas take to start and to drain. */
const LONG = 24 * 3_600_000;
/** How long a launcher may take to answer at all. */
const PATIENCE = 10_000;

/** A launcher in another process. */
export interface RemoteLauncher extends Launcher, Disposable {
  /** Resolves when the launcher has ended, or the connection was closed. */
  readonly closed: Promise<void>;
}

/**
 * Connects to the launcher of a deployment.
 *
 * @throws {MpError} `launcher_unreachable`.
 */
export async function connectLauncher(
  { control, handle, launcher }: Pick<DeploymentRecord, "control" | "handle" | "launcher">,
): Promise<RemoteLauncher> {
  const readers = new Set<(news: News) => void>();
  const unreachable = (reason: string, cause?: unknown) =>
    new MpError(
      "launcher_unreachable",
      `Cannot reach the launcher of "${handle.app}": ${reason}`,
      { cause, next: `It is process ${launcher.pid}; end that, and run the script again` },
    );
  let conn: Deno.Conn;
  try {
    conn = await dial(control.address);
  } catch (error) {
    throw unreachable(messageOf(error), error);
  }
  const channel = new Channel(conn, {
    onCall(_, body) {
      for (const item of JSON.parse(body) as News[]) for (const reader of readers) reader(item);
      return "";
    },
  }, { name: `the launcher of "${handle.app}"` });
  try {
    await channel.ping(PATIENCE);
  } catch (error) {
    channel.close();
    throw unreachable("it does not answer", error);
  }

  const call = async <T>(target: string, request: unknown, signal?: AbortSignal): Promise<T> => {
    let text: string;
    try {
      const body = JSON.stringify(request);
      text = await channel.call(target, body, { timeout: LONG, meta: control.secret, signal });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw unreachable("it ended", error);
    }
    const reply = JSON.parse(text) as { result: T; error?: ErrorRecord };
    if (reply.error) throw fromErrorRecord(reply.error);
    return reply.result;
  };
  return {
    closed: channel.closed,
    status: () => call("status", null),
    storage: () => call("storage", null),
    ready: (signal) => call("ready", null, signal),
    update: (order) => call("update", order),
    restart: (replicas) => call("restart", replicas),
    scale: (order) => call("scale", order),
    delete: () => call("delete", null),
    news(signal) {
      const heard = feed<News>({ missed: (count) => ({ kind: "missed", count }) });
      const reader = (item: News) => heard.put(item);
      readers.add(reader);
      const end = () => {
        readers.delete(reader);
        heard.end();
      };
      const news = heard.read(signal);
      call("news", null, signal).then(end, end);
      return news;
    },
    [Symbol.dispose]: () => channel.close(),
  };
}
