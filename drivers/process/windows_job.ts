/**
 * A job object that ends with this process. Windows only.
 *
 * @module
 */

const JOB_OBJECT_EXTENDED_LIMIT_INFORMATION = 9;
const JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE = 0x2000;
/** `sizeof(JOBOBJECT_EXTENDED_LIMIT_INFORMATION)` with 64-bit pointers, and where it has `LimitFlags`. */
const INFORMATION_SIZE = 144;
const LIMIT_FLAGS = 16;

let done = false;

/**
 * Puts this process, and with it every process that it starts from now on, into a job whose last handle
 * is this process's own: when it ends, however it does, the system ends the others.
 */
export function killWithThisProcess(): void {
  if (done) return;
  done = true;
  // the library stays open, and so does the handle: closing it would end the job, and this process with it
  const { symbols } = Deno.dlopen("kernel32.dll", {
    CreateJobObjectW: { parameters: ["pointer", "pointer"], result: "pointer" },
    SetInformationJobObject: { parameters: ["pointer", "i32", "buffer", "u32"], result: "i32" },
    GetCurrentProcess: { parameters: [], result: "pointer" },
    AssignProcessToJobObject: { parameters: ["pointer", "pointer"], result: "i32" },
  });
  const job = symbols.CreateJobObjectW(null, null);
  const information = new Uint8Array(INFORMATION_SIZE);
  new DataView(information.buffer)
    .setUint32(LIMIT_FLAGS, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, true);
  symbols.SetInformationJobObject(
    job,
    JOB_OBJECT_EXTENDED_LIMIT_INFORMATION,
    information,
    INFORMATION_SIZE,
  );
  symbols.AssignProcessToJobObject(job, symbols.GetCurrentProcess());
}
