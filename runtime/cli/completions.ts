/** `mp completions`. @module */

import { required } from "./argument.ts";
import { command } from "./command.ts";
import { didYouMean } from "./near_name.ts";
import { usage } from "./option.ts";

/** Prints a shell's completion script. */
export const completions = command({
  description: [
    "The script asks mp itself what may follow, so that it also offers the apps, services and paths that are deployed.",
  ],
  arguments: {
    shell: required({
      description: "bash, zsh or fish",
      candidates: ["bash", "zsh", "fish"],
    }),
  },
  options: {},
  examples: [
    { line: 'eval "$(mp completions bash)"', does: "In ~/.bashrc" },
    { line: 'eval "$(mp completions zsh)"', does: "In ~/.zshrc, after compinit" },
    { line: "mp completions fish | source", does: "In ~/.config/fish/config.fish" },
  ],
  run({ arguments: { shell }, output }) {
    if (!Object.hasOwn(SCRIPTS, shell)) {
      throw usage(`Cannot make completions for "${shell}": the shell is not known`, {
        next: didYouMean(shell, Object.keys(SCRIPTS), "Give bash, zsh or fish"),
      });
    }
    output.result(SCRIPTS[shell]!.trim());
    return Promise.resolve();
  },
});

// "@{" stands for "${", which a template of TypeScript would take for its own
const shellScript = (raw: string) => raw.replaceAll("@{", "${").trim();

const BASH = shellScript(String.raw`
_mp() {
  local words=() glued= word offered line
  # bash breaks words at = and :, which belong to them here
  for word in "@{COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ $word == [=:]* && @{#words[@]} -gt 0 ]]; then
      words[@{#words[@]}-1]+=$word glued=1
    elif [[ $glued ]]; then
      words[@{#words[@]}-1]+=$word glued=
    else
      words+=("$word")
    fi
  done
  local current=@{words[@{#words[@]}-1]} own=@{COMP_WORDS[COMP_CWORD]}
  [[ $own == [=:]* ]] && own=
  local prefix=@{current%"$own"}
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o filenames
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$own")
      continue
    fi
    offered=@{line%%$'\t'*}
    [[ $offered == *= ]] && compopt -o nospace
    COMPREPLY+=("@{offered#"$prefix"}")
  done < <(mp complete -- "@{words[@]}" 2>/dev/null)
}
complete -F _mp mp
`);

const ZSH = shellScript(String.raw`
#compdef mp
_mp() {
  local -a offered open
  local line word meaning files
  while IFS= read -r line; do
    if [[ $line == :files ]]; then files=1; continue; fi
    word=@{line%%$'\t'*} meaning=@{line#*$'\t'}
    if [[ $word == *= ]]; then open+=("@{word//:/\\:}:$meaning")
    else offered+=("@{word//:/\\:}:$meaning")
    fi
  done < <(mp complete -- "@{(@Q)words[2,CURRENT]}" 2>/dev/null)
  local found=1
  (( @{#offered} )) && _describe mp offered && found=0
  (( @{#open} )) && _describe mp open -S '' && found=0
  if [[ $files ]]; then compset -P '--*='; _files && found=0; fi
  return found
}
(( $+functions[compdef] )) && compdef _mp mp
`);

const FISH = shellScript(String.raw`
function __mp_offer
    set -l words (commandline -opc) (commandline -ct)
    for line in (mp complete -- $words[2..-1] 2>/dev/null)
        if test "$line" = :files
            set -l option (string match -r -- '^--[^=]*=' (commandline -ct))
            for path in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' (commandline -ct)))
                echo -- "$option$path"
            end
        else
            echo -- $line
        end
    end
end
complete -c mp -f -a '(__mp_offer)'
`);

const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
