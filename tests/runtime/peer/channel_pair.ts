/**
 * Two channels that talk to each other within a test.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  Channel,
  type ChannelHandlers,
  type ChannelOptions,
} from "../../../runtime/peer/channel.ts";
import { deadlines } from "../../../runtime/peer/deadlines.ts";
import { type End, pipe, type PipeOptions } from "./pipe.ts";

/** Two channels and what they run over. */
export interface ChannelPair extends Disposable {
  readonly here: Channel;
  readonly there: Channel;
  readonly hereEnd: End;
  readonly thereEnd: End;
}

/** Options of {@linkcode channelPair}. */
export interface ChannelPairOptions extends ChannelOptions, PipeOptions {
  here?: ChannelHandlers;
  there?: ChannelHandlers;
}

/** Makes two channels; disposing of them checks that nothing is left behind. */
export function channelPair(options: ChannelPairOptions = {}): ChannelPair {
  const [hereEnd, thereEnd] = pipe(options);
  const here = new Channel(hereEnd, options.here, { name: "there", ...options });
  const there = new Channel(thereEnd, options.there, { name: "here", ...options });
  return {
    here,
    there,
    hereEnd,
    thereEnd,
    [Symbol.dispose]() {
      here.close();
      there.close();
      assertEquals([here.pending, here.serving, there.pending, there.serving], [0, 0, 0, 0]);
      assertEquals(deadlines.size, 0);
      deadlines.settle();
    },
  };
}
