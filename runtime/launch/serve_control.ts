/**
 * A launcher's control socket, over which commands reach it.
 *
 * @module
 */

import { join } from "node:path";
import { MpError } from "../errors.ts";
import { listen, tcpAddress } from "../peer/address.ts";
import { Channel } from "../peer/channel.ts";
import type { InboundCall } from "../peer/inbound_call.ts";
import { equalInConstantTime } from "../peer/handshake.ts";
import type { Address } from "./address_book.ts";
import type { ReplicaId } from "./driver.ts";
import { toErrorRecord } from "./error_record.ts";
import type { DeployOrder, Launcher, News, ScaleOrder } from "./launcher.ts";
import { makeSocketFolder } from "../user_folders.ts";

/** How long a follower may take for a message. */
const LONG = 24 * 3_600_000;
/** How many of the news go in one message. */
const BATCH = 500;
/** How long answers may take to leave when the socket is closed. */
const LAST_WORDS = 1000;

/** A control socket that is served. */
export interface ControlServer {
  readonly address: Address;
  /** What every caller must know. */
  readonly secret: string;
  /** The private folder that holds the socket; empty where there is none. */
  readonly folder: string;
  /** Stops listening, lets the answers that are under way leave, and removes the folder. */
  close(): Promise<void>;
}

/** Serves a launcher's control socket: a Unix socket in a private folder, or a loopback port on Windows. */
export function serveControl(launcher: Launcher): ControlServer {
  const secret = crypto.randomUUID();
  const folder = Deno.build.os === "windows" ? "" : makeSocketFolder("mp-");
  const listener = listen(folder ? `unix:${join(folder, "control")}` : "tcp:127.0.0.1:0");
  const channels = new Set<Channel>();
  const answering = new Set<Promise<string>>();
  const accept = (conn: Deno.Conn) => {
    const channel: Channel = new Channel(conn, {
      onCall(target, body, call) {
        const answered = answer(launcher, channel, secret, target, body, call);
        answering.add(answered);
        answered.finally(() => answering.delete(answered));
        return answered;
      },
      onClose: () => channels.delete(channel),
    }, { name: "a command" });
    channels.add(channel);
  };
  const accepting = (async () => {
    for await (const conn of listener) accept(conn);
  })();
  const { addr } = listener;
  return {
    secret,
    folder,
    address: addr.transport === "tcp"
      ? tcpAddress(addr.hostname, addr.port)
      : `unix:${join(folder, "control")}`,
    async close() {
      listener.close();
      await accepting;
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([
        Promise.all(answering),
        new Promise((resolve) => timer = setTimeout(resolve, LAST_WORDS)),
      ]);
      clearTimeout(timer);
      await Promise.all([...channels].map((channel) => channel.flush()));
      for (const channel of channels) channel.close();
      if (folder) await Deno.remove(folder, { recursive: true }).catch(() => {});
    },
  };
}

async function answer(
  launcher: Launcher,
  channel: Channel,
  secret: string,
  target: string,
  body: string,
  call: InboundCall,
): Promise<string> {
  try {
    if (!equalInConstantTime(call.meta, secret)) {
      throw new MpError("unauthorized", "Cannot answer: the caller is not known");
    }
    const result = await perform(launcher, channel, target, JSON.parse(body), call);
    return JSON.stringify({ result: result ?? null });
  } catch (error) {
    // with the place and the next step, which an error on a channel leaves out
    return JSON.stringify({ error: toErrorRecord(error) });
  }
}

async function perform(
  launcher: Launcher,
  channel: Channel,
  target: string,
  request: unknown,
  call: InboundCall,
): Promise<unknown> {
  switch (target) {
    case "status":
      return await launcher.status();
    case "storage":
      return await launcher.storage();
    case "ready":
      return await launcher.ready(call.signal());
    case "update":
      return await launcher.update(request as DeployOrder);
    case "restart":
      return await launcher.restart(request as ReplicaId[]);
    case "scale":
      return await launcher.scale(request as ScaleOrder);
    case "delete":
      return await launcher.delete();
    case "news":
      return await tell(launcher.news(call.signal()), channel);
    default:
      throw new MpError("method_not_found", `Cannot answer "${target}": it is not known`);
  }
}

/** Sends news in batches, each when the one before has been taken, so that a slow reader holds up nobody. */
async function tell(news: AsyncIterable<News>, channel: Channel): Promise<void> {
  let batch: News[] = [];
  let sending: Promise<unknown> | undefined;
  const send = async () => {
    while (batch.length > 0 && !channel.ended) {
      const body = JSON.stringify(batch);
      batch = [];
      // the channel's end ends the news too
      await channel.call("news", body, { timeout: LONG }).catch(() => {});
    }
    sending = undefined;
  };
  for await (const item of news) {
    batch.push(item);
    sending ??= send();
    if (batch.length >= BATCH) await sending;
  }
  await sending;
}
