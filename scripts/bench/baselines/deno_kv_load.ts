// Deno KV as one would use it by hand, one hot key and an atomic compare-and-set: deno_kv_load.ts FILE CALLERS
import { serveLoad } from "./serve_load.ts";

const [file, callers] = Deno.args;
const kv = await Deno.openKv(file);
const key = ["hot"];

serveLoad(Number(callers), async () => {
  for (;;) {
    const entry = await kv.get<{ count: number }>(key);
    const count = (entry.value?.count ?? 0) + 1;
    const { ok } = await kv.atomic().check(entry).set(key, { count }).commit();
    if (ok) return;
  }
});
