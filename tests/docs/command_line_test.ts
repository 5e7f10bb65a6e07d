import { assertEquals } from "@std/assert";
import { commandTable } from "../../runtime/cli/command_table.ts";
import { globalOptions } from "../../runtime/cli/global_options.ts";
import { longName, type Options } from "../../runtime/cli/option.ts";

const page = await Deno.readTextFile(new URL("../../docs/command-line.md", import.meta.url));

/** What stands under each heading. */
const sections = new Map(
  page.split(/^## /m).slice(1).map((section) => {
    const [heading, ...lines] = section.split("\n");
    return [heading!, lines.join("\n")] as const;
  }),
);

const names = (options: Options) => Object.keys(options).map((key) => `--${longName(key)}`);

const mentioned = (text: string) =>
  new Set(Array.from(text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g), ([name]) => name));

Deno.test("docs/command-line.md has a section for every command, in the order of the help", () => {
  assertEquals(
    [...sections.keys()].filter((heading) => heading.startsWith("mp ")),
    commandTable.filter(({ hidden }) => !hidden).map(({ name }) => `mp ${name}`),
  );
});

Deno.test("docs/command-line.md tells every option of every command, and no other", async () => {
  const general = names(globalOptions);
  assertEquals(
    general.filter((name) => !mentioned(sections.get("What holds for all")!).has(name)),
    [],
  );
  for (const { name, hidden, load } of commandTable) {
    if (hidden) continue;
    const own = names((await load()).options);
    const told = mentioned(sections.get(`mp ${name}`)!);
    assertEquals(own.filter((option) => !told.has(option)), [], `not told of mp ${name}`);
    const unknown = [...told].filter((option) =>
      !own.includes(option) && !general.includes(option)
    );
    assertEquals(unknown, [], `told of mp ${name}, which has none of that name`);
  }
});

Deno.test("docs/command-line.md tells every environment variable that stands in for an option", async () => {
  const told = sections.get("Environment")!;
  const loaded = await Promise.all(commandTable.map((entry) => entry.load()));
  const variables = [globalOptions, ...loaded.map(({ options }) => options)]
    .flatMap((options) => Object.values<Options[string]>(options)).flatMap(({ env }) => env ?? []);
  assertEquals(variables.filter((name) => !told.includes(`\`${name}\``)), []);
});
