/**
 * What an engine tells of the containers of an app.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import type { MpError } from "../../runtime/errors.ts";
import type { Engine } from "./engine.ts";
import { LABELS } from "./names.ts";

/** Something that happened to a container. */
export interface ContainerEvent {
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}

/** Options of {@linkcode watchEngine}. */
export interface WatchOptions {
  readonly app: string;
  readonly signal: AbortSignal;
  onEvent(event: ContainerEvent): void;
  /** The engine answers again; much may have happened meanwhile. */
  onBack(): void;
  /** The engine does not answer; it is tried again. */
  onLost(error: MpError): void;
}

const PAUSE = 500;

/** Begins to watch. Resolves when what happens from now on is told. @throws {MpError} `engine_unavailable`. */
export async function watchEngine(engine: Engine, options: WatchOptions): Promise<void> {
  const { app, signal, onEvent, onBack, onLost } = options;
  const filters = JSON.stringify({ type: ["container"], label: [`${LABELS.app}=${app}`] });
  const open = () => engine.stream("GET", "/events", { query: { filters }, signal });
  const read = async (pieces: AsyncIterable<Uint8Array>) => {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const piece of pieces) {
      const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) if (line.trim() !== "") onEvent(JSON.parse(line));
    }
  };
  const go = async (first: AsyncIterable<Uint8Array>) => {
    let [lost, again] = [false, false];
    for (let next: AsyncIterable<Uint8Array> | undefined = first; !signal.aborted;) {
      try {
        next ??= await open();
        if (again) onBack();
        [lost, again] = [false, true];
        await read(next);
      } catch (error) {
        if (signal.aborted) return;
        if (!lost) onLost(error as MpError);
        lost = true;
      }
      next = undefined;
      await delay(PAUSE, { signal }).catch(() => {});
    }
  };
  go(await open()).catch(() => {});
}
