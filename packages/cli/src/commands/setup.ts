import { BACKUP_DAILY_DEFAULT } from "../setup/setup-plan.ts";
import type { CommandModule } from "../program.ts";
import { gather } from "../options/repeatable.ts";
import { type SetupFlags, runSetup } from "../setup/run-setup.ts";

const DESCRIPTION = `Protect this machine: look what is on it, make a repository, write comeback.yaml.

Asks what to protect and where to; with --yes it takes what it is told and finds,
without a question. Nothing is written before it was shown. A configuration that
is there is never overwritten.`;

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(DESCRIPTION)
    .option("--path <path>", "protect this folder; repeatable", gather, [])
    .option("--all", "protect all that is found on this machine")
    .option("--plan <name>", "the plan's name; this host's name if not given")
    .option("--at <time>", "when it runs every day", BACKUP_DAILY_DEFAULT)
    .option("--key-file <file>", "where the repository's password is kept")
    .option("--yes", "ask nothing")
    .option("-n, --dry-run", "show what would be written, and write nothing")
    .action(run<SetupFlags>((context, flags) => runSetup(context, flags)));
};
