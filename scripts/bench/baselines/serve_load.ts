/**
 * A baseline that works for as long as it is told, and says how often it was done.
 *
 * @module
 */

/** Serves `GET /?seconds=3`: calls `once` again and again, from so many callers at a time, and answers how often. */
export function serveLoad(callers: number, once: (caller: number) => Promise<void> | void): void {
  Deno.serve({
    port: 0,
    hostname: "127.0.0.1",
    onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`),
  }, async (request) => {
    const seconds = Number(new URL(request.url).searchParams.get("seconds"));
    const end = performance.now() + seconds * 1000;
    let done = 0;
    await Promise.all(Array.from({ length: callers }, async (_, caller) => {
      while (performance.now() < end) {
        await once(caller);
        done++;
      }
    }));
    return Response.json(done);
  });
}
