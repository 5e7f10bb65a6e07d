/**
 * What a channel runs over. Types only.
 *
 * @module
 */

/** A socket, or its like in one process. */
export interface Connection {
  read(into: Uint8Array): Promise<number | null>;
  /** Sends bytes, or the first of them; once it has resolved, their memory may be used for others. */
  write(bytes: Uint8Array): Promise<number>;
  /** Tells the other side that nothing more comes. */
  closeWrite?(): Promise<void>;
  close(): void;
}
