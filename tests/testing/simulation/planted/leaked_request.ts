/** Planted: who asks is kept where the next request finds it. */
import * as mp from "@metaparticle/mp";

let asking = "";

mp.service("greeting", async (name: string) => {
  asking = name;
  await mp.scoped("greeted", (greeted) => void (greeted[name] = true));
  return `hello, ${asking}`;
}, { expose: true });
mp.serve();
