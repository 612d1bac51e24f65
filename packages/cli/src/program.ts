import { Command, CommanderError, Help, type OptionValues } from "commander";
import { ComebackError, ExitCode } from "@comeback/core";
import type { CommandContext, Context } from "./context.ts";
import { isPlainWord } from "./options/places.ts";
import type { StorageStatistics } from "./opening/storage-statistics.ts";
import {
  addGlobalOptions,
  expandVerboseCount,
  givenFlags,
  GLOBAL_OPTIONS_TITLE,
  resolveGlobalOptions,
} from "./options/global-options.ts";
import { VERSION } from "./version.ts";

/** What a file in `commands/` exports: it declares its flags and says what to do. */
export interface CommandModule {
  define(command: Command, run: RunCommand): void;
}

/** Hands the action what it needs, once the command line is understood. */
export type RunCommand = <Options>(
  action: Action<Options>,
) => (...given: unknown[]) => Promise<void>;

/** Does what a command is for; resolves to the exit code. */
type Action<Options> = (
  context: CommandContext,
  options: Options,
  operands: string[],
) => Promise<number>;

interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Started by the program itself; help does not list it. */
  readonly isHidden?: true;
  /** Only the command that is run is loaded: `comeback --help` has to be quick. */
  load(): Promise<CommandModule>;
}

const COMMANDS: readonly CommandEntry[] = [
  {
    name: "try",
    summary: "see the whole job done, and proven",
    load: () => import("./commands/try.ts"),
  },
  {
    name: "setup",
    summary: "protect this machine: find, ask, make, write comeback.yaml",
    load: () => import("./commands/setup.ts"),
  },
  {
    name: "run",
    summary: "run plans, or clear what runs left behind",
    load: () => import("./commands/run.ts"),
  },
  {
    name: "status",
    summary: "am I safe? the state of every plan",
    load: () => import("./commands/status.ts"),
  },
  {
    name: "plan",
    summary: "show and check what the configuration says",
    load: () => import("./commands/plan.ts"),
  },
  {
    name: "history",
    summary: "show what runs did, and the versions of a file",
    load: () => import("./commands/history.ts"),
  },
  {
    name: "logs",
    summary: "print what a run said, and follow it",
    load: () => import("./commands/logs.ts"),
  },
  {
    name: "audit",
    summary: "list and verify the audit log",
    load: () => import("./commands/audit.ts"),
  },
  {
    name: "notify",
    summary: "list the channels of notifications, and try them",
    load: () => import("./commands/notify.ts"),
  },
  {
    name: "daemon",
    summary: "run plans by their schedules",
    load: async () => {
      const { defineDaemon } = await import("./commands/daemon.ts");
      const { openDaemonWorld } = await import("./daemon/open-daemon-world.ts");
      return { define: defineDaemon(openDaemonWorld) };
    },
  },
  {
    name: "install",
    summary: "have systemd run plans by their schedules",
    load: async () => {
      const { defineInstall } = await import("./commands/install.ts");
      const { loadForCommand } = await import("./configuration/load-for-command.ts");
      const define = defineInstall(async (context) => {
        const loaded = await loadForCommand(context, context.globals.configurationPath);
        return { configuration: loaded.configuration, configurationPath: loaded.files[0]! };
      });
      return { define };
    },
  },
  {
    name: "init",
    summary: "make a new repository",
    load: () => import("./commands/init.ts"),
  },
  {
    name: "backup",
    summary: "save files and folders as a new snapshot",
    load: () => import("./commands/backup.ts"),
  },
  {
    name: "snapshots",
    summary: "list the snapshots",
    load: () => import("./commands/snapshots.ts"),
  },
  {
    name: "ls",
    summary: "list the files in a snapshot",
    load: () => import("./commands/ls.ts"),
  },
  {
    name: "restore",
    summary: "bring files back from a snapshot",
    load: () => import("./commands/restore.ts"),
  },
  {
    name: "find",
    summary: "search snapshots for files or ids",
    load: () => import("./commands/find.ts"),
  },
  {
    name: "diff",
    summary: "show what differs between two snapshots",
    load: () => import("./commands/diff.ts"),
  },
  {
    name: "dump",
    summary: "print a file, or a folder as an archive",
    load: () => import("./commands/dump.ts"),
  },
  {
    name: "copy",
    summary: "copy snapshots from another repository",
    load: () => import("./commands/copy.ts"),
  },
  {
    name: "replicate",
    summary: "keep a second copy of a repository's folder",
    load: () => import("./commands/replicate.ts"),
  },
  {
    name: "check",
    summary: "prove that the repository is whole",
    load: () => import("./commands/check.ts"),
  },
  {
    name: "tag",
    summary: "change the tags of snapshots",
    load: () => import("./commands/tag.ts"),
  },
  {
    name: "forget",
    summary: "remove snapshots by rules, or hold them",
    load: () => import("./commands/forget.ts"),
  },
  {
    name: "prune",
    summary: "free the space of data that no snapshot needs",
    load: () => import("./commands/prune.ts"),
  },
  {
    name: "thaw",
    summary: "make packs in archive classes readable",
    load: () => import("./commands/thaw.ts"),
  },
  {
    name: "retention",
    summary: "keep what is stored from being deleted",
    load: () => import("./commands/retention.ts"),
  },
  {
    name: "repair",
    summary: "save what can be saved of a damaged repository",
    load: () => import("./commands/repair.ts"),
  },
  {
    name: "recover",
    summary: "make a snapshot of what none leads to any more",
    load: () => import("./commands/recover.ts"),
  },
  {
    name: "stats",
    summary: "count what snapshots hold and what they take up",
    load: () => import("./commands/stats.ts"),
  },
  {
    name: "cat",
    summary: "print one object of the repository",
    load: () => import("./commands/cat.ts"),
  },
  {
    name: "rewrite",
    summary: "leave files out of snapshots that exist",
    load: () => import("./commands/rewrite.ts"),
  },
  {
    name: "merge",
    summary: "make one full snapshot of several",
    load: () => import("./commands/merge.ts"),
  },
  {
    name: "key",
    summary: "list and change the repository's passwords",
    load: () => import("./commands/key.ts"),
  },
  {
    name: "migrate",
    summary: "bring the repository's format up to date",
    load: () => import("./commands/migrate.ts"),
  },
  {
    name: "unlock",
    summary: "remove locks that were left behind",
    load: () => import("./commands/unlock.ts"),
  },
  {
    name: "list",
    summary: "list ids of one kind of object",
    load: () => import("./commands/list.ts"),
  },
  {
    name: "backend",
    summary: "find out what a storage can do, and how fast",
    load: () => import("./commands/backend.ts"),
  },
  {
    name: "cache",
    summary: "list and clean the local caches",
    load: () => import("./commands/cache.ts"),
  },
  {
    name: "version",
    summary: "print the version",
    load: () => import("./commands/version.ts"),
  },
  {
    name: "watchdog",
    summary: "undo what a run did, once it has gone",
    isHidden: true,
    load: () => import("./commands/watchdog.ts"),
  },
];

const INTRODUCTION = `Backups that prove they come back.

Repositories are restic repositories: restic reads what Comeback writes, and the
other way round.`;

const HELP_COLUMNS_MAX = 100;
const COMMANDS_TITLE = "Commands:";

const EXAMPLES = `
Environment:
  COMEBACK_REPOSITORY, COMEBACK_PASSWORD, COMEBACK_PASSWORD_FILE and the like
  stand in for options; each falls back to its twin with RESTIC_ in front.

Examples:
  comeback try
  comeback -r /mnt/backup/me init
  comeback -r /mnt/backup/me backup /home /etc
  comeback -r /mnt/backup/me restore latest --target /tmp/back

\`comeback COMMAND --help\` tells a command's own options.`;

/** Runs one command line; resolves to the exit code. Help and version are printed here. */
export async function runProgram(args: readonly string[], context: Context): Promise<number> {
  let exitCode = 0;
  const run: RunCommand =
    <Options>(action: Action<Options>) =>
    async (...given: unknown[]): Promise<void> => {
      // commander: the arguments, then the options, then the command itself.
      const command = given.at(-1) as Command;
      const flags = givenFlags(command);
      const globals = resolveGlobalOptions(flags, context.env);
      const statistics = await countingFor(globals.verbosity);
      try {
        const complete = await withDestinations({ ...context, globals, statistics }, flags);
        exitCode = await action(complete, command.opts() as Options, command.args);
      } finally {
        tell(statistics, globals.json, context);
      }
    };
  const argv = expandVerboseCount(args);
  const program = await buildProgram(argv, context, run);
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Without any command, commander takes its help for an error message.
    if (error.code === "commander.help") program.outputHelp();
    if (error.exitCode === 0 || error.code === "commander.help") return 0;
    throw usageError(error, argv);
  }
}

/** The destination that `-r` names in the place of a location, and a way to those of other options. */
async function withDestinations(
  given: CommandContext,
  flags: OptionValues,
): Promise<CommandContext> {
  // These say something of `--repo` only.
  const { repoHot: _, passwordFile: __, passwordCommand: ___, ...common } = flags;
  const context: CommandContext = {
    ...given,
    destinationNamed: (word) => findDestination(given, word, common),
  };
  const { repository } = context.globals;
  if (repository?.kind !== "location") return context;
  return (await findDestination(context, repository.location, flags)) ?? context;
}

/** A plain word may be a destination's name: only then the configuration is looked for. */
async function findDestination(
  context: CommandContext,
  word: string,
  flags: OptionValues,
): Promise<CommandContext | undefined> {
  if (!isPlainWord(word)) return undefined;
  const { findConfiguration } = await import("@comeback/operations/find-configuration");
  const place = { path: context.globals.configurationPath, env: context.env };
  if ((await findConfiguration(place)) === undefined) return undefined;
  const { contextByName } = await import("./configuration/context-by-name.ts");
  return contextByName(context, word, flags);
}

/** Loaded only where it is asked for. */
async function countingFor(verbosity: number): Promise<StorageStatistics | undefined> {
  if (verbosity < 2) return undefined;
  return new (await import("./opening/storage-statistics.ts")).StorageStatistics();
}

/** On standard error: what is on the other one may be a single document, or a file's content. */
function tell(
  statistics: StorageStatistics | undefined,
  json: boolean,
  { terminal }: Context,
): void {
  if (statistics === undefined || statistics.isEmpty) return;
  terminal.printError(json ? statistics.message() : statistics.render().join("\n"));
}

async function buildProgram(
  argv: readonly string[],
  context: Context,
  run: RunCommand,
): Promise<Command> {
  const program = new Command("comeback");
  program
    .usage("[options] COMMAND [arguments]")
    .description(INTRODUCTION)
    .helpCommand("help [command]", "tell about a command")
    .helpOption("-h, --help", "tell about the program or a command")
    .addHelpText("after", EXAMPLES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.terminal.printRaw(text),
      writeErr: () => {},
      getOutHelpWidth: () => Math.min(HELP_COLUMNS_MAX, context.terminal.columns),
    })
    .configureHelp({
      formatHelp: (command, help) =>
        commandsFirst(Help.prototype.formatHelp.call(help, command, help)),
      optionDescription: (option) => option.description,
    })
    .commandsGroup(COMMANDS_TITLE);
  addGlobalOptions(program).version(`comeback ${VERSION}`, "--version", "print the version");
  const named = namedCommand(argv);
  for (const { name, summary, isHidden, load } of COMMANDS) {
    const command = program.command(name, { hidden: isHidden === true }).summary(summary);
    command.description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`);
    if (name !== named) continue;
    (await load()).define(command, run);
    addGlobalOptions(command);
  }
  return program;
}

/** What there is to do comes before how it may be changed. */
function commandsFirst(help: string): string {
  const sections = help.trimEnd().split("\n\n");
  const commands = sections.findIndex((section) => section.startsWith(COMMANDS_TITLE));
  const options = sections.findIndex((section) => section.startsWith(GLOBAL_OPTIONS_TITLE));
  if (commands > options) sections.splice(options, 0, ...sections.splice(commands, 1));
  return `${sections.join("\n\n")}\n`;
}

/** The command that a command line is about, found without knowing any command's own options. */
function namedCommand(argv: readonly string[]): string | undefined {
  const scout = addGlobalOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  try {
    const { operands } = scout.parseOptions([...argv]);
    return operands[0] === "help" ? operands[1] : operands[0];
  } catch (error) {
    // The real parse meets the same mistake, and reports it.
    if (error instanceof CommanderError) return undefined;
    throw error;
  }
}

/** commander's finding in our words: what is wrong, what was perhaps meant, where to look. */
function usageError(error: CommanderError, argv: readonly string[]): ComebackError {
  const [first = "", hint] = error.message.replace(/^error: /, "").split("\n");
  const suggestion = /Did you mean (?:one of )?(.*)\?\)?$/.exec(hint ?? "")?.[1];
  const named = namedCommand(argv);
  const known = COMMANDS.some(({ name }) => name === named);
  const help = known ? `\`comeback ${named} --help\`` : "`comeback --help`";
  const look = `${help} lists what there is`;
  return new ComebackError("option.invalid", first.replaceAll("'", ""), {
    next: suggestion === undefined ? look : `did you mean ${suggestion}? ${look}`,
    exitCode: ExitCode.usage,
  });
}
