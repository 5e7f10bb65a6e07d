import { assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import type { Response } from "../../../examples/search/topology.ts";
import { deploy, type Deployed, ROOT } from "../deployed.ts";
import { mpSandbox } from "../../support/mp.ts";

const SCRIPT = "examples/search/topology.ts";

const search = async (deployed: Deployed, request: unknown) =>
  await deployed.call("search", request) as Response;

/** The names of the files that a search finds, the best first. */
const files = async (deployed: Deployed, request: unknown) =>
  (await search(deployed, request)).hits.map(({ file }) => file);

Deno.test("examples/search finds texts of its own corpus", async () => {
  await using deployed = await deploy(SCRIPT);

  const found = await deployed.client("search", '"happened before"') as Response;
  assertEquals(found.documents, 15);
  assertEquals(found.hits[0]!.file, "lamport-clocks.txt");
  assertStringIncludes(found.hits[0]!.snippet, "«happened»-«before»");

  assertEquals(await files(deployed, "erdos konigstrasse CAFÉ"), ["names-with-accents.txt"]);
  assertEquals(await files(deployed, "検索"), ["names-with-accents.txt"]);
  assertEquals(await files(deployed, '"let it crash"'), ["erlang.txt"]);
  assertEquals(await files(deployed, '"it let crash"'), []);
  assertEquals((await files(deployed, "rendez*"))[0], "sharding.txt");

  const all = await search(deployed, { query: "a", limit: 100 });
  const two = await search(deployed, { query: "a", limit: 2 });
  assertEquals(all.hits.length, all.found);
  assertEquals(two, { ...all, hits: all.hits.slice(0, 2) });
  assertEquals((await search(deployed, "a")).hits, all.hits.slice(0, 10));
});

Deno.test("examples/search refuses what it cannot search for, and says why", async () => {
  await using deployed = await deploy(SCRIPT);
  const cases: [unknown[], string][] = [
    [[], "the request is neither a query nor { query, limit }"],
    [[7], "the request is neither a query nor { query, limit }"],
    [[null], "the request is neither a query nor { query, limit }"],
    [[""], "it says no word that must or may occur"],
    [["-only"], "it says no word that must or may occur"],
    [[{ query: "a", limit: 0 }], "Cannot search for 0 hits: ask for 1 to 100"],
    [[{ query: "a", limit: 1.5 }], "Cannot search for 1.5 hits"],
    [["word ".repeat(1000)], "1000 words and phrases"],
  ];
  for (const [params, message] of cases) {
    const { error } = await deployed.reply("search", ...params);
    assertEquals(error?.data?.code, "handler_failed");
    assertStringIncludes(error!.message, message);
  }
  const { error } = await deployed.reply("index", { query: [], limit: 1 });
  assertEquals(error?.data?.code, "method_not_found", "what is not exposed cannot be called");
});

Deno.test("examples/search gives the same answers on one leaf and on seven", async () => {
  const queries = ["the replica", '"of the" network', "sh* -tail", "+answer request wait*"];
  const answers = [];
  for (const leaves of [1, 7]) {
    const args = [
      "--env",
      "CORPUS=examples/search/corpus",
      "--replicas",
      `index.scatter=${leaves}`,
    ];
    await using deployed = await deploy(SCRIPT, { args, cwd: ROOT });
    answers.push(await Promise.all(queries.map((query) => search(deployed, query))));
  }
  assertEquals(answers[0], answers[1]);
});

Deno.test("examples/search searches the text of any folder", async () => {
  await using sandbox = await mpSandbox();
  const write = (name: string, text: string) => sandbox.write(`texts/${name}`, text);
  await write("a/deep/er/note.md", "a needle in a haystack");
  await write("empty.txt", "");
  await write("huge.log", `${"needle ".repeat(300_000)} beyond`);
  await write(".hidden", "needle");
  await write("node_modules/x/readme.md", "needle");
  await write("a b#c?%.txt", "pin");
  await Deno.writeFile(`${sandbox.folder}/texts/program`, Uint8Array.of(110, 0, 101, 0, 101));
  const args = ["--env", "CORPUS=./texts"];
  await using deployed = await deploy(SCRIPT, { args, cwd: sandbox.folder });

  const found = await search(deployed, "needle");
  assertEquals(found.documents, 4);
  assertEquals(found.hits.map(({ file }) => file).sort(), ["a/deep/er/note.md", "huge.log"]);
  assertEquals(await files(deployed, "pin"), ["a b#c?%.txt"]);
  assertEquals(await files(deployed, "beyond"), [], "only the first MiB of a file is read");
});

Deno.test("examples/search finds nothing in an empty folder", async () => {
  await using sandbox = await mpSandbox();
  await Deno.mkdir(`${sandbox.folder}/texts`);
  const args = ["--env", `CORPUS=${sandbox.folder}/texts`];
  await using deployed = await deploy(SCRIPT, { args });
  assertEquals(await search(deployed, "word"), { found: 0, documents: 0, hits: [] });
});

Deno.test("examples/search does not start when there is no such folder", async () => {
  await using sandbox = await mpSandbox();
  await sandbox.write("file", "text");
  for (
    const [corpus, why] of [["./none", "there is no such folder"], ["file", "is not a folder"]]
  ) {
    const args = ["run", `${ROOT}${SCRIPT}`, "--port", "0", "--env", `CORPUS=${corpus}`];
    const { code, stdout, stderr } = await sandbox.run(args);
    assertEquals(code, 1);
    assertEquals(stdout, "");
    assertStringIncludes(stderr, `Cannot search "${corpus}": `);
    assertStringIncludes(stderr, why!);
    assertMatch(stderr, /corpus\.ts:\d+/);
    assertNotMatch(stderr, /index\.scatter/);
  }
});
