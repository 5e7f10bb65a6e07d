import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { MpError } from "../../../runtime/errors.ts";
import { optional, remaining, required } from "../../../runtime/cli/argument.ts";
import type { Command } from "../../../runtime/cli/command.ts";
import { commandTable } from "../../../runtime/cli/command_table.ts";
import {
  choice,
  duration,
  flag,
  pairs,
  text,
  texts,
  wholeNumber,
} from "../../../runtime/cli/option.ts";
import {
  findCommand,
  parseLine,
  readGlobal,
  splitLine,
  usageLine,
} from "../../../runtime/cli/parse.ts";

const options = {
  detach: flag({ short: "d", description: "" }),
  watch: flag({ short: "w", description: "" }),
  name: text({ value: "NAME", description: "" }),
  driver: text({ value: "NAME", aliases: ["runner"], env: "MP_DRIVER", description: "" }),
  lines: wholeNumber({ short: "n", value: "N", least: 0, most: 100, description: "" }),
  envFile: texts({ value: "FILE", description: "" }),
  env: pairs({ value: "KEY=VALUE", description: "", readValue: (value) => value }),
  timeout: duration({ value: "TIME", initial: "30s", description: "" }),
  when: choice({ value: "WHEN", choices: ["now", "later"], initial: "now", description: "" }),
};

const sample = {
  name: "sample",
  summary: "",
  description: [],
  examples: [],
  arguments: {
    script: required({ description: "" }),
    request: optional({ description: "", shown: "JSON" }),
  },
  options,
  run: () => Promise.resolve(),
} satisfies Command;

const noEnv = () => undefined;
const parse = (...args: string[]) => parseLine(sample, args, noEnv);

function usageOf(body: () => unknown): MpError {
  const error = assertThrows(body);
  assertInstanceOf(error, MpError);
  assertEquals(error.code, "usage");
  return error;
}

Deno.test("splitLine() finds the command behind global options", () => {
  assertEquals(splitLine(["--color", "never", "run", "a.ts", "-d"]), {
    name: "run",
    args: ["--color", "never", "a.ts", "-d"],
  });
  assertEquals(splitLine(["--json", "ps"]), { name: "ps", args: ["--json=true"] });
  assertEquals(splitLine([]), { name: undefined, args: [] });
  assertEquals(splitLine(["--version"]).name, undefined);
});

Deno.test("splitLine() leaves what follows -- alone", () => {
  assertEquals(splitLine(["run", "a.ts", "--", "--json", "-h"]), {
    name: "run",
    args: ["a.ts", "--", "--json", "-h"],
  });
});

Deno.test("splitLine() refuses a command's option before the command", () => {
  const error = usageOf(() => splitLine(["-d", "run", "a.ts"]));
  assertEquals(error.message, 'Cannot read option "-d": there is none of that name');
});

Deno.test("findCommand() suggests the near command", () => {
  assertEquals(findCommand("run", commandTable).name, "run");
  assertEquals(usageOf(() => findCommand("rnu", commandTable)).next, "Did you mean mp run?");
  assertEquals(usageOf(() => findCommand("frobnicate", commandTable)).next, "See mp help");
});

Deno.test("findCommand() knows that a path is a script", () => {
  const { next } = usageOf(() => findCommand("./topology.ts", commandTable));
  assertEquals(next, "To run a script: mp run ./topology.ts");
});

Deno.test("parseLine() reads options of every kind, before, between and after arguments", () => {
  const { arguments: args, options } = parse(
    ..."-d --name shop a.ts --lines=5 --env A=1 --env B=x=y --env-file one --env-file two {}".split(
      " ",
    ),
    ...["--timeout", "1.5s", "--when", "later", "--runner", "memory"],
  );
  assertEquals(args, { script: "a.ts", request: "{}" });
  assertEquals({ ...options, env: Object.fromEntries(options.env) }, {
    detach: true,
    watch: false,
    name: "shop",
    driver: "memory",
    lines: 5,
    envFile: ["one", "two"],
    env: { A: "1", B: "x=y" },
    timeout: 1500,
    when: "later",
  });
});

Deno.test("parseLine() reads short options together and with their value attached", () => {
  for (const words of [["-dwn5"], ["-dw", "-n5"], ["-dwn", "5"], ["-d", "-w", "-n=5"]]) {
    const { options } = parse("a.ts", ...words);
    assertEquals([options.detach, options.watch, options.lines], [true, true, 5], words.join(" "));
  }
});

Deno.test("parseLine() never takes an argument for the value of a flag", () => {
  const { options, arguments: args } = parse("a.ts", "--detach", "true");
  assertEquals([options.detach, args.request], [true, "true"]);
});

Deno.test("parseLine() keeps arguments that look like numbers as they are", () => {
  assertEquals(parse("007", "1e3").arguments, { script: "007", request: "1e3" });
});

Deno.test("parseLine() takes - for an argument, and everything after -- too", () => {
  assertEquals(parse("a.ts", "-").arguments.request, "-");
  assertEquals(parse("a.ts", "--", "-5").arguments.request, "-5");
  assertEquals(parse("--", "--detach").arguments.script, "--detach");
});

Deno.test("parseLine() hands what follows -- on where the command wants it", () => {
  const program = { ...sample, rest: "Arguments of the program" };
  assertEquals(parseLine(program, ["a.ts", "--", "-x", "--json"], noEnv).rest, ["-x", "--json"]);
  assertEquals(parseLine(program, ["a.ts"], noEnv).rest, []);
});

Deno.test("parseLine() turns a flag off with --no- and with =false", () => {
  assertEquals(parse("a.ts", "-d", "--no-detach").options.detach, false);
  assertEquals(parse("a.ts", "--detach=false").options.detach, false);
});

Deno.test("parseLine() lets the last of several win", () => {
  assertEquals(parse("a.ts", "--name", "a", "--name", "b").options.name, "b");
});

Deno.test("parseLine() takes the environment's value unless an option says otherwise", () => {
  const env = (name: string) => name === "MP_DRIVER" ? "memory" : undefined;
  assertEquals(parseLine(sample, ["a.ts"], env).options.driver, "memory");
  assertEquals(parseLine(sample, ["a.ts", "--driver", "process"], env).options.driver, "process");
});

Deno.test("parseLine() suggests the near option, of the command's and the global ones", () => {
  assertEquals(usageOf(() => parse("a.ts", "--detatch")).next, "Did you mean --detach?");
  assertEquals(usageOf(() => parse("a.ts", "--jsno")).next, "Did you mean --json?");
  assertEquals(usageOf(() => parse("a.ts", "--zzz=5")).next, "See mp help sample");
});

Deno.test("parseLine() says how to give an argument that begins with -", () => {
  const { next } = usageOf(() => parse("a.ts", "-5"));
  assertEquals(next, "An argument that begins with - stands after --: mp … -- -5");
});

Deno.test("parseLine() refuses values that cannot be", () => {
  const wrong: [string[], string][] = [
    [["--name"], "Cannot read --name: it needs a value"],
    [["--name="], "Cannot read --name: it needs a value"],
    [["--name", "--detach"], "Cannot read --name: it needs a value"],
    [["--lines", "1.5"], 'Cannot read --lines "1.5": it is not a whole number from 0 to 100'],
    [["--lines", "101"], 'Cannot read --lines "101": it is not a whole number from 0 to 100'],
    [["--timeout", "soon"], 'Cannot read --timeout "soon": it is not a duration'],
    [["--timeout", "0"], 'Cannot read --timeout "0": it is not a duration'],
    [["--env", "A"], 'Cannot read --env "A": it is not KEY=VALUE'],
    [["--env", "=1"], 'Cannot read --env "=1": it is not KEY=VALUE'],
    [["--when", "never"], 'Cannot read --when "never": it is none of its values'],
    [["--detach=maybe"], 'Cannot read --detach "maybe": the option takes no value'],
    [["--color", "blue"], 'Cannot read --color "blue": it is none of its values'],
  ];
  for (const [words, message] of wrong) {
    assertEquals(usageOf(() => parse("a.ts", ...words)).message, message);
  }
});

Deno.test("parseLine() names the environment variable that holds a bad value", () => {
  const port = wholeNumber({ value: "PORT", env: "MP_PORT", least: 0, most: 9, description: "" });
  const error = usageOf(() =>
    parseLine(
      { ...sample, options: { port } },
      ["a.ts"],
      (name) => name === "MP_PORT" ? "x" : undefined,
    )
  );
  assertEquals(error.message, 'Cannot read MP_PORT "x": it is not a whole number from 0 to 9');
});

Deno.test("parseLine() refuses arguments too few and too many, and shows the usage", () => {
  const few = usageOf(() => parse());
  assertEquals(few.message, "Cannot run mp sample: SCRIPT is missing");
  assertEquals(few.next, "Usage: mp sample [OPTIONS] SCRIPT [JSON]");
  const many = usageOf(() => parse("a", "b", "c"));
  assertEquals(many.message, 'Cannot run mp sample: argument "c" is one too many');
});

Deno.test("parseLine() is not led astray by names of Object.prototype", () => {
  for (const name of ["__proto__", "constructor", "toString"]) {
    usageOf(() => parse("a.ts", `--${name}=x`));
  }
  assertEquals(parse("a.ts", "--env", "__proto__=x").options.env.get("__proto__"), "x");
});

Deno.test("readGlobal() reads what it can, whatever else is wrong", () => {
  const global = readGlobal(["rnu", "--bogus", "--json", "--color", "blue", "-x"], noEnv);
  assertEquals([global.json, global.color], [true, "auto"]);
  assertEquals(readGlobal(["run", "--no-color"], noEnv).color, "never");
  assertEquals(readGlobal(["run", "--", "--json"], noEnv).json, false);
});

Deno.test("usageLine() shows arguments that may be left out or repeated", () => {
  const words = remaining({ required: false, description: "" });
  assertEquals(usageLine({ ...sample, options: {}, arguments: { words } }), "mp sample [WORDS…]");
});
