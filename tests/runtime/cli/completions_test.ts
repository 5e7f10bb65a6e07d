import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { needsProgram, testWith } from "../../support/needs.ts";

const MAIN = fromFileUrl(new URL("../../../main.ts", import.meta.url));

/** A folder with a program `mp` for a shell to call, and two files. */
async function sandbox() {
  const folder = await Deno.makeTempDir({ prefix: "mp-test-" });
  const bin = join(folder, "bin");
  await Deno.mkdir(bin);
  const run = `#!/bin/sh\nexec "${Deno.execPath()}" run -A --unstable-net "${MAIN}" "$@"\n`;
  await Deno.writeTextFile(join(bin, "mp"), run, { mode: 0o755 });
  for (const name of ["topology.ts", "notes.md"]) await Deno.writeTextFile(join(folder, name), "");
  return {
    async shell(program: string, args: readonly string[]): Promise<string> {
      const { stdout, stderr, success } = await new Deno.Command(program, {
        args: [...args],
        cwd: folder,
        env: {
          PATH: `${bin}:${Deno.env.get("PATH")}`,
          XDG_STATE_HOME: join(folder, "state"),
          TERM: "xterm",
        },
        signal: AbortSignal.timeout(60_000),
      }).output();
      const decoder = new TextDecoder();
      if (!success) throw new Error(`${program} failed: ${decoder.decode(stderr)}`);
      return decoder.decode(stdout);
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** Lines of a shell's stdin, and what is to be there after a tab. */
const CASES: readonly (readonly [typed: string, completed: string])[] = [
  ["mp clie", "mp client"],
  ["mp run --rep", "mp run --replicas"],
  ["mp run --color al", "mp run --color always"],
  ["mp run --color=al", "mp run --color=always"],
  ["mp run top", "mp run topology.ts"],
  ["mp run --env-file=no", "mp run --env-file=notes.md"],
  ["mp --color never com", "mp --color never completions"],
];

testWith(
  needsProgram("bash", "apt-get install bash"),
  "mp completions bash completes in bash",
  async () => {
    await using at = await sandbox();
    for (const [typed, completed] of CASES) {
      // as bash breaks a line into words
      const words = typed.split(/ |(?==)|(?<==)/);
      const out = await at.shell("bash", [
        "--norc",
        "-c",
        `eval "$(mp completions bash)"
       complete -p mp
       compopt() { :; }
       COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
       _mp
       printf '%s\\n' "\${COMPREPLY[@]}"`,
        "bash",
        ...words,
      ]);
      const last = completed.split(/ |(?<==)/).at(-1)!;
      assertEquals(out, `complete -F _mp mp\n${last}\n`, typed);
    }
  },
);

testWith(
  needsProgram("zsh", "apt-get install zsh"),
  "mp completions zsh completes in zsh",
  async () => {
    await using at = await sandbox();
    const lines = CASES.map(([typed, completed]) => `complete_line '${typed}' '${completed}'`);
    const out = await at.shell("zsh", [
      "-f",
      "-c",
      `zmodload zsh/zpty
     zpty shell zsh -f -i
     zpty -w shell 'PS1="% "; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -D -u'
     zpty -w shell 'eval "$(mp completions zsh)"; echo rea""dy'
     zpty -r shell out '*ready*'
     complete_line() {
       zpty -n -w shell "$1"$'\\t'
       zpty -r shell out "*$2*" && print -r -- "$2"
       zpty -n -w shell $'\\C-u'
     }
     ${lines.join("\n")}
     zpty -d shell`,
    ]);
    assertEquals(out.trim().split("\n"), CASES.map(([, completed]) => completed));
  },
);

testWith(
  needsProgram("fish", "apt-get install fish"),
  "mp completions fish completes in fish",
  async () => {
    await using at = await sandbox();
    for (const [typed, completed] of CASES) {
      const out = await at.shell("fish", [
        "--no-config",
        "-c",
        `mp completions fish | source; complete -C "${typed}"`,
      ]);
      const words = out.trim().split("\n").map((line) => line.split("\t")[0]);
      assertEquals(words, [completed.split(" ").at(-1)], typed);
    }
  },
);
