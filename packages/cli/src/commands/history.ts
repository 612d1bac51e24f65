import { resolve } from "node:path";
import type { CatalogStore, LogRecord, RunOutcome } from "@comeback/core";
import { RUN_OUTCOMES } from "@comeback/core";
import {
  fileVersionsMessage,
  findFileVersions,
  renderFileVersions,
} from "../catalog/file-versions.ts";
import { findRun } from "../catalog/find-run.ts";
import {
  addCatalogOption,
  type CatalogFlags,
  commandCatalog,
  openCommandCatalog,
} from "../catalog/open-command-catalog.ts";
import { rebuildFromRepository } from "../catalog/rebuild.ts";
import { recordMessage } from "../catalog/record-message.ts";
import { renderProofs } from "../catalog/render-proofs.ts";
import { renderRun, type RunReport } from "../catalog/render-run.ts";
import { renderRuns, runsOfAllHosts } from "../catalog/render-runs.ts";
import { renderSizes } from "../catalog/render-sizes.ts";
import type { CommandContext } from "../context.ts";
import { bytesOfArgument } from "../options/argument-bytes.ts";
import { badUsage } from "../options/option-error.ts";
import { parseChoice, parseInteger } from "../options/parse-values.ts";
import type { CommandModule } from "../program.ts";

interface HistoryFlags extends CatalogFlags {
  readonly plan?: string;
  readonly source?: string;
  readonly outcome?: string;
  readonly limit: string;
  readonly file?: string;
  readonly rebuild?: true;
  readonly destination?: string;
  readonly allHosts?: true;
  readonly sizes?: true;
  readonly proofs?: true;
}

/** Of a run, as much as anybody reads; `logs` has the rest. */
const PROBLEMS_MAX = 100;
const LOG_PAGE = 1_000;
const SNAPSHOTS_MAX = 10_000;
const LIMIT_MAX = 100_000;

export const define: CommandModule["define"] = (command, run) => {
  addCatalogOption(command.argument("[run]", "a run, the start of its id, or `latest`"))
    .option("--plan <plan>", "only of this plan")
    .option("--all-hosts", "of every host in the catalog, not of this one alone")
    .option("--source <source>", "with --file: only of this source")
    .option("--outcome <outcome>", "only runs that ended so: ok, warning, failed or skipped")
    .option("-n, --limit <n>", "the newest so many", "20")
    .option("--file <path>", "which snapshots hold which version of a file")
    .option("--sizes", "how large the repositories were after runs")
    .option("--proofs", "what was proven of the backups, and when")
    .option("--rebuild", "fill the catalog from a repository's snapshots")
    .option("--destination <name>", "with --sizes and --rebuild: a repository's name in the plans")
    .action(run<HistoryFlags>(history));
};

async function history(
  context: CommandContext,
  flags: HistoryFlags,
  [name]: readonly string[],
): Promise<number> {
  const { terminal, globals } = context;
  assertUsage(flags, name);
  if (flags.rebuild === true) {
    const place = await commandCatalog(context, flags);
    await rebuildFromRepository(context, { ...place, destination: flags.destination });
    return 0;
  }
  const outcome: RunOutcome | undefined =
    flags.outcome === undefined ? undefined : parseChoice("--outcome", flags.outcome, RUN_OUTCOMES);
  const limit = parseInteger("--limit", flags.limit, { min: 1, max: LIMIT_MAX });
  await using store = await openCommandCatalog(context, flags);
  if (flags.file !== undefined) {
    const path = bytesOfArgument(resolve(flags.file));
    const found = await findFileVersions(store, path, flags);
    terminal.print(
      globals.json
        ? JSON.stringify(fileVersionsMessage(found))
        : renderFileVersions(found).join("\n"),
    );
  } else if (flags.sizes === true) {
    const sizes = await store.listStatistics({ destination: flags.destination, limit });
    terminal.print(
      globals.json ? JSON.stringify(sizes.map(recordMessage)) : renderSizes(sizes).join("\n"),
    );
  } else if (flags.proofs === true) {
    const proofs = await store.listProofs({ plan: flags.plan, limit });
    terminal.print(
      globals.json
        ? JSON.stringify(proofs.map(recordMessage))
        : renderProofs(proofs, terminal.palette).join("\n"),
    );
  } else if (name !== undefined) {
    const report = await reportOn(store, name, flags.plan);
    terminal.print(
      globals.json
        ? JSON.stringify(recordMessage(report))
        : renderRun(report, terminal.palette, terminal.columns).join("\n"),
    );
  } else {
    const hosts = flags.allHosts === true ? "all" : undefined;
    const runs = await store.listRuns({ hosts, plan: flags.plan, outcome, limit });
    const whose = hosts === "all" ? runsOfAllHosts(terminal.columns) : store;
    terminal.print(
      globals.json
        ? JSON.stringify(runs.map(recordMessage))
        : renderRuns(runs, terminal.palette, whose).join("\n"),
    );
  }
  return 0;
}

function assertUsage(flags: HistoryFlags, name: string | undefined): void {
  const { file, sizes, proofs, rebuild } = flags;
  const meant = [file, sizes, proofs, rebuild, name].filter((one) => one !== undefined);
  if (meant.length > 1) {
    const questions = "a run, --file, --sizes, --proofs and --rebuild are questions of their own";
    throw badUsage(questions, "ask one of them");
  }
  if (flags.source !== undefined && flags.file === undefined) {
    throw badUsage("--source goes with --file only", "leave it out");
  }
  if (flags.allHosts === true && meant.length > 0 && file === undefined) {
    const next = "leave it out: a run is found on any host, a rebuild is of all, the rest of one";
    throw badUsage("--all-hosts goes with lists of runs and --file only", next);
  }
  if (flags.destination !== undefined && rebuild !== true && sizes !== true) {
    throw badUsage("--destination goes with --sizes and --rebuild only", "leave it out");
  }
}

async function reportOn(
  store: CatalogStore,
  name: string,
  plan: string | undefined,
): Promise<RunReport> {
  const run = await findRun(store, name, plan);
  const problems: LogRecord[] = [];
  for (let after = -1; problems.length < PROBLEMS_MAX;) {
    const lines = await store.listLog(run.id, after, LOG_PAGE);
    for (const line of lines) {
      if (line.level === "warning" || line.level === "error") problems.push(line);
    }
    const last = lines.at(-1);
    if (last === undefined) break;
    after = last.sequence;
  }
  const ofHost = store.forHost(run.host);
  const made = { runId: run.id, limit: SNAPSHOTS_MAX };
  return {
    run,
    stages: await store.listStages(run.id),
    snapshots: (await ofHost.listSnapshots(made)).toReversed(),
    problems: problems.slice(0, PROBLEMS_MAX),
  };
}
