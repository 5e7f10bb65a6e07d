/**
 * The lock of an app: whoever holds it is its launcher, or takes away what a dead one left.
 *
 * The system gives the lock back when its holder ends, in whatever way, so that a dead launcher never
 * blocks the next one.
 *
 * @module
 */

/** A lock that is held. */
export interface AppLock {
  /** Gives it back. Idempotent. */
  release(): void;
}

/** A file that can be locked. `tryLock` is younger than `lock`. */
interface LockableFile {
  lock(exclusive: boolean): Promise<void>;
  tryLock?(exclusive: boolean): Promise<boolean>;
  close(): void;
}

// how long a free lock may take where only the waiting call exists
const PATIENCE = 200;

/**
 * Takes the lock that a file stands for, without waiting for it.
 *
 * @param path The file; its folder must exist.
 * @returns The lock, or nothing when another process holds it.
 * @throws When the file cannot be made.
 */
export async function tryAppLock(path: string): Promise<AppLock | undefined> {
  for (;;) {
    const file = await Deno.open(path, { create: true, write: true, mode: 0o600 });
    if (!await tryLock(file)) {
      file.close();
      return undefined;
    }
    if (await isSameFile(file, path)) return held(file);
    // its last holder removed it between the two: what is locked is nobody's file
    file.close();
  }
}

function held(file: Deno.FsFile): AppLock {
  let released = false;
  return {
    release() {
      if (released) return;
      released = true;
      file.close();
    },
  };
}

async function tryLock(file: LockableFile): Promise<boolean> {
  if (file.tryLock) return await file.tryLock(true);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), PATIENCE);
  });
  // when patience ends first, closing the file gives back what the call may still get
  const taken = await Promise.race([file.lock(true).then(() => true), patience]);
  clearTimeout(timer);
  return taken;
}

async function isSameFile(file: Deno.FsFile, path: string): Promise<boolean> {
  try {
    const [own, there] = [await file.stat(), await Deno.stat(path)];
    return own.ino === there.ino && own.dev === there.dev;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
