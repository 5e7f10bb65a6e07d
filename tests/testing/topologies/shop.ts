/** A topology with everything that the tests of tests reach into. */
import * as mp from "@metaparticle/mp";

let asked = 0;

const count = mp.service(
  "count",
  mp.scatter(
    3,
    (word: string) => {
      asked++;
      if (word === "boom") throw new Error("no such word");
      console.log(`asked for ${word}`);
      return { length: word.length, replica: mp.current().replica.name, asked };
    },
    (parts) => parts,
  ),
);
count.expose = true;

// not exposed: only others call it
mp.service("stock", (item: string) =>
  mp.scoped("stock", (stock) => {
    stock[item] = (stock[item] ?? 10) - 1;
    return stock[item];
  }));

mp.service("env", (name: string) => ({
  deno: Deno.env.get(name),
  node: process.env[name],
}), { env: { SHELF: "7" } });

mp.service("global", (value?: string) => {
  const shared = globalThis as { value?: string };
  if (value !== undefined) shared.value = value;
  return shared.value;
}, { replicas: 2 });

mp.service("exit", (code: number) => {
  if (code < 0) {
    setTimeout(() => {
      throw new Error("in a timer");
    }, 0);
  } else Deno.exit(code);
});

mp.serve();
