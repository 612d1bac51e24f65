import { type Backend, ComebackError, ExitCode } from "@comeback/core";
import {
  check,
  MIGRATIONS,
  saveHotConfig,
  startWorkersEarly,
  upgradeConfig,
} from "@comeback/engine";
import { checkErrorMessage, renderCheckProblem } from "../check/check-report.ts";
import { CheckView } from "../check/check-view.ts";
import type { CommandContext } from "../context.ts";
import { configCopyFolder, configKeeper } from "../migrate/config-copies.ts";
import { restoreLostConfig } from "../migrate/lost-config.ts";
import { openSession, type Session } from "../opening/session.ts";
import { badValue } from "../options/option-error.ts";
import type { CommandModule } from "../program.ts";
import { requireLock } from "../snapshots/change-tags-report.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";

interface MigrateFlags {
  readonly force?: true;
}

const DESCRIPTION = `Bring the repository's format up to date. Without a name: what there is to do.

  upgrade_repo_v2  from version 1 to 2, which is compressed; checks the repository
                   first, and replaces its config file, of which a copy is kept`;

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(DESCRIPTION)
    .argument("[name...]", "migrations to apply")
    .option("-f, --force", "no error where one has been applied already")
    .action(
      run<MigrateFlags>(async (context, flags, names) => {
        const known = MIGRATIONS.map(({ name }) => name);
        const unknown = names.find((name) => !known.includes(name));
        if (unknown !== undefined) throw badValue("a migration", unknown, known.join(", "));
        if (names.length === 0) await list(context);
        else await migrate(context, flags.force === true);
        return ExitCode.done;
      }),
    );
};

async function list(context: CommandContext): Promise<void> {
  const { terminal, globals } = context;
  await using session = await openSession(context, { lock: "shared" });
  const found = MIGRATIONS.filter((migration) => migration.isApplicable(session.repository));
  if (globals.json) {
    const migrations = found.map(({ name, description }) => ({ name, description }));
    terminal.print(JSON.stringify({ message_type: "migrations", migrations }));
    return;
  }
  terminal.print(found.length === 0 ? "no migrations found" : "available migrations:");
  for (const { name, description } of found) terminal.print(`  ${name}: ${description}`);
}

/** There is one migration only: to version 2. */
async function migrate(context: CommandContext, force: boolean): Promise<void> {
  const { terminal, globals, env } = context;
  requireLock(context, "a migration");
  const say = (text: string): void => {
    if (!globals.json && !globals.quiet) terminal.print(text);
  };
  if (await restoreLostConfig(context)) {
    say("put the config file back that an interrupted migration had taken away");
  }
  await using session = await openSession(context, { lock: "exclusive", useCache: false });
  const { repository, signal, mayWrite } = session;
  const isDone = repository.config.version === 2;
  if (isDone && !force) {
    throw new ComebackError("migration.failed", "the repository is of version 2 already", {
      next: "there is nothing to do; with --force this is no error",
    });
  }
  const keeper = configKeeper(configCopyFolder(env), repository.backend, repository.config.id);
  if (isDone) {
    // A crash may have come between the new config and the end of the copy.
    await keeper.drop();
  } else {
    await mayWrite;
    await assertWhole(context, session);
    await upgradeConfig(repository, {
      keeper,
      signal,
      onKept: (where) =>
        say(`a copy of the config file is in ${where} until the new one is stored`),
    });
    if (session.hot !== undefined) await upgradeHot(session, session.hot);
  }
  if (globals.json) {
    terminal.print(JSON.stringify({ message_type: "summary", version: 2, was: isDone ? 2 : 1 }));
  }
  if (isDone) return say("the repository is of version 2 already");
  say("the repository is of version 2 now; what is stored from now on is compressed");
  say("`comeback prune --repack-uncompressed` compresses what is there already");
}

/** Cut off in between, the hot part is refused as outdated, and `repair hot` brings it up to date. */
async function upgradeHot({ repository, signal }: Session, hot: Backend): Promise<void> {
  const { codec, config } = repository;
  await hot.remove({ type: "config", name: "" }, { signal });
  await saveHotConfig({ codec, config: { ...config, version: 2 } }, hot, { signal });
}

/** As restic: what is damaged is repaired before it becomes something else. */
async function assertWhole(context: CommandContext, session: Session): Promise<void> {
  const { terminal, globals, env } = context;
  await using _workers = startWorkersEarly();
  using ticker = new ProgressTicker({ terminal, env, json: globals.json, quiet: globals.quiet });
  const { ok } = await check({
    repository: session.repository,
    signal: session.signal,
    observer: {
      onStart: (progress) => ticker.start(new CheckView(progress)),
      onProblem: (problem) =>
        terminal.printError(
          globals.json
            ? checkErrorMessage(problem)
            : renderCheckProblem(problem, terminal.errorPalette),
        ),
    },
  });
  if (ok) return;
  throw new ComebackError("check.failed", "the repository contains errors, and is not migrated", {
    why: "what is damaged is named above",
    next: "`comeback check` tells what the damage affects; repair it first",
  });
}
