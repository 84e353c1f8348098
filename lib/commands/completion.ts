/**
 * `cli.ts completion`: a script that makes the shell complete commands, options and their choices. It
 * also gives the command line a name of one word, `mrnet`, since a shell completes by a command's name.
 */
import { commandLine, denoProgram } from "../invocation.ts";
import { choice, Command, type CommandUnknownOpts, UsageError } from "./arguments.ts";
import { printLines } from "./console.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

/** What a command can be given. */
interface Words {
  command: string;
  /** What its argument is chosen from, if it is. */
  choices: string[];
  options: { flags: string[]; choices: string[]; takesValue: boolean; description: string }[];
}

/** The command; `commands` are all others, the first of them is the one without a name. */
export function completionCommand(commands: readonly CommandUnknownOpts[]) {
  return new Command("completion")
    .description(
      "Print a script that completes commands and options by the tab key, under the name mrnet:\n" +
        `source <(${
          commandLine("completion", "bash")
        }). The same goes for zsh; in fish pipe it to ` +
        "source.",
    )
    .argument("<{bash,zsh,fish}>", "the shell", (given: string) => {
      try {
        return choice(SHELLS)(given);
      } catch (error) {
        throw new UsageError(`argument SHELL: ${(error as Error).message}`);
      }
    })
    .addHelpText("after", "\nPermissions: none")
    .action((shell) => printLines(completionScript(shell, commands).trimEnd()));
}

/** The script for a shell. */
export function completionScript(shell: Shell, commands: readonly CommandUnknownOpts[]): string {
  const words = commands.map(_words);
  const cli = decodeURIComponent(new URL("../../cli.ts", import.meta.url).pathname);
  const start = `${denoProgram(Deno.execPath(), Deno.version.deno)} run -A '${cli}'`;
  switch (shell) {
    case "bash":
      return _bash(words, start);
    case "zsh":
      // Its emulation of bash's completion is kept by the same people.
      return `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${
        _bash(words, start)
      }`;
    case "fish":
      return _fish(words, start);
    default:
      return shell satisfies never;
  }
}

function _words(command: CommandUnknownOpts): Words {
  return {
    command: command.name(),
    choices: command.registeredArguments.flatMap((argument) => _choices(argument.name())),
    options: command.options.map(({ short, long, flags, description }) => ({
      flags: [short, long].filter((flag) => flag !== undefined),
      choices: _choices(flags),
      takesValue: /[<[]/.test(flags),
      description: description.split(";")[0],
    })),
  };
}

/** `{a,b}` in how an option or argument is shown; `FILE` and the like stand for what the user has. */
function _choices(shown: string): string[] {
  const all = /\{([^}]*)\}/.exec(shown)?.[1].split(",") ?? [];
  return all.filter((each) => each !== each.toUpperCase() || /^\d+$/.test(each));
}

function _bash(words: readonly Words[], start: string): string {
  const names = words.map(({ command }) => command);
  const [first] = words;
  const cases = words.flatMap(({ command, options }) =>
    options.filter(({ takesValue }) => takesValue).map(({ flags, choices }) => {
      const patterns = flags.map((flag) => `${command},${flag}`).join("|");
      // Without choices it is a file's name, or something that nobody can complete.
      return `    ${patterns}) words="${choices.join(" ")}" ;;`;
    })
  );
  const lists = words.map(({ command, options, choices }) => {
    const flags = options.flatMap(({ flags }) => flags);
    return `    ${command}) words="${[...choices, ...flags, "--help"].join(" ")}" ;;`;
  });
  return `mrnet() { ${start} "$@"; }
_mrnet() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  local command="\${COMP_WORDS[1]}"
  case " ${names.join(" ")} " in
    *" $command "*) [ "$COMP_CWORD" -gt 1 ] || command="" ;;
    *) command=${first.command} ;;
  esac
  case "\${command:-${first.command}},$before" in
${cases.join("\n")}
    *) case "\${command:-${first.command}}" in
${lists.join("\n")}
    esac
    [ "$COMP_CWORD" -gt 1 ] || words="${names.join(" ")} $words" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _mrnet mrnet
`;
}

function _fish(words: readonly Words[], start: string): string {
  const names = words.map(({ command }) => command);
  const lines = words.flatMap(({ command, options }, index) => {
    const here = index === 0
      ? `"not __fish_seen_subcommand_from ${names.slice(1).join(" ")}"`
      : `"__fish_seen_subcommand_from ${command}"`;
    return options.map(({ flags, choices, takesValue, description }) =>
      [
        `complete -c mrnet -n ${here}`,
        ...flags.map((flag) =>
          flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`
        ),
        takesValue ? "-r" : "",
        choices.length > 0 ? `-f -a "${choices.join(" ")}"` : "",
        `-d '${description.replaceAll("'", "\\'")}'`,
      ].filter((word) => word !== "").join(" ")
    );
  });
  return [
    `function mrnet; ${start} $argv; end`,
    `complete -c mrnet -n __fish_use_subcommand -a "${names.join(" ")}"`,
    ...lines,
    "",
  ].join("\n");
}
