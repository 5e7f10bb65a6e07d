/**
 * The replica's end of the connection to its supervisor.
 *
 * @module
 */

import { MpError } from "../errors.ts";
import type { Address } from "../launch/address_book.ts";
import { dial } from "../peer/address.ts";
import { Channel } from "../peer/channel.ts";
import type { ReplicaNotices, SupervisorCalls } from "./supervision.ts";

/** What the supervisor can ask of a replica. */
export type Obedience = {
  readonly [Target in keyof SupervisorCalls]: (
    request: SupervisorCalls[Target]["request"],
  ) => Promise<SupervisorCalls[Target]["reply"]>;
};

/** The connection to the supervisor. */
export interface Supervised {
  notify<Target extends keyof ReplicaNotices>(target: Target, body: ReplicaNotices[Target]): void;
  /** Resolves when what was told has left. */
  flush(): Promise<void>;
}

/**
 * Connects to the supervisor and says hello.
 *
 * @param address The supervisor's.
 * @param hello Who this is.
 * @param obedience What to do when the supervisor asks.
 */
export async function supervised(
  address: Address,
  hello: ReplicaNotices["hello"],
  obedience: Obedience,
): Promise<Supervised> {
  const channel = new Channel(await dial(address), {
    async onCall(target, body) {
      const obey = Object.hasOwn(obedience, target) &&
        obedience[target as keyof Obedience] as ((request: unknown) => Promise<unknown>) | false;
      if (!obey) throw new MpError("method_not_found", `Cannot obey "${target}": it is not known`);
      return JSON.stringify(await obey(JSON.parse(body)));
    },
  }, { name: "the supervisor" });
  channel.notify("hello", JSON.stringify(hello));
  return {
    notify: (target, body) => channel.notify(target, JSON.stringify(body)),
    flush: () => channel.flush(),
  };
}
