/**
 * The text of a test that ends `deno test` as a crash does, once it has told of the tests before: what it prints is
 * lost with it otherwise, and what ended it could be any file.
 */
export const ENDS_IT = `Deno.test("ends it", () => new Promise(() => {
  setTimeout(() => process.kill(process.pid, "SIGKILL"), 300);
}));`;
