import { assert, assertEquals } from "@std/assert";
import { commandTable } from "../../../runtime/cli/command_table.ts";
import { formatCommandHelp, formatProgramHelp } from "../../../runtime/cli/format_help.ts";
import { longName } from "../../../runtime/cli/option.ts";
import { palette } from "../../../runtime/cli/palette.ts";
import { findCommand, parseLine, splitLine } from "../../../runtime/cli/parse.ts";

const layout = { columns: 80, palette: palette(false) };

Deno.test("commandTable has the commands that DESIGN asks for", () => {
  const names = commandTable.filter(({ hidden }) => !hidden).map(({ name }) => name);
  assertEquals(
    names.sort(),
    [
      ..."client completions delete doctor export help init logs plan ps restart run scale scope test types version"
        .split(
          " ",
        ),
    ],
  );
});

Deno.test("formatProgramHelp() lists every command but the hidden ones", () => {
  const help = formatProgramHelp(commandTable, layout);
  for (const { name, summary, hidden } of commandTable) {
    assertEquals(help.includes(`  ${name} `) && help.includes(summary), !hidden, name);
  }
});

for (const entry of commandTable) {
  Deno.test(`mp help ${entry.name} shows every option and argument, in 80 columns`, async () => {
    const command = await entry.load();
    const help = formatCommandHelp(command, layout);
    for (const key of Object.keys(command.options)) {
      assert(help.includes(`--${longName(key)}`), key);
    }
    for (const { description } of Object.values(command.arguments)) {
      assert(help.includes(description.split(" ")[0]!), description);
    }
    const examples = command.examples.map(({ line }) => line);
    const long = help.split("\n").filter((line) =>
      line.length > 80 && !examples.includes(line.trim())
    );
    assertEquals(long.filter((line) => !line.startsWith("Usage:")), []);
  });

  Deno.test(`mp help ${entry.name} has examples that can be parsed`, async () => {
    for (const { line } of (await entry.load()).examples) {
      const mp = /\bmp ([^|<)]+)/.exec(line);
      assert(mp, line);
      const words = [...mp[1]!.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)]
        .map(([, single, double, bare]) => single ?? double ?? bare!);
      const { name, args } = splitLine(words);
      assertEquals(name, entry.name, line);
      parseLine(await findCommand(name!, commandTable).load(), args, () => undefined);
    }
  });
}

Deno.test("options have one letter each, once, and none hides a global one", async () => {
  const { globalOptions } = await import("../../../runtime/cli/global_options.ts");
  for (const entry of commandTable) {
    const { options } = await entry.load();
    const all = [...Object.entries(globalOptions), ...Object.entries(options)];
    const names = all.flatMap(([key, { short, aliases = [] }]) => [
      longName(key),
      ...aliases,
      ...(short ? [short] : []),
    ]);
    assertEquals(names.length, new Set(names).size, entry.name);
  }
});
