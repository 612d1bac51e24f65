import { HOLD_TAG } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { openSession } from "../opening/session.ts";
import { badUsage } from "../options/option-error.ts";
import { type FilterFlags, filterOf } from "../options/snapshot-filter.ts";
import { changeAndReport, requireLock } from "../snapshots/change-tags-report.ts";
import { findSnapshots } from "../snapshots/find-snapshots.ts";
import { isPolicyGiven, type PolicyFlags } from "./policy-options.ts";

export interface HoldFlags extends FilterFlags, PolicyFlags {
  readonly hold?: true;
  readonly unhold?: true;
  readonly dryRun?: true;
  readonly prune?: true;
}

/** Marks snapshots as held, or takes the mark away. Their ids change: a snapshot's id is its content. */
export async function holdSnapshots(
  context: CommandContext,
  flags: HoldFlags,
  names: readonly string[],
): Promise<number> {
  const { terminal, globals, env } = context;
  const option = flags.hold === true ? "--hold" : "--unhold";
  if (flags.hold === flags.unhold) {
    throw badUsage("--hold and --unhold contradict each other", "leave one of them out");
  }
  if (isPolicyGiven(flags) || flags.dryRun === true || flags.prune === true) {
    throw badUsage(`${option} removes nothing`, "leave rules, --dry-run and --prune out");
  }
  if (names.length === 0) throw badUsage(`${option} needs snapshots`, "name them by their ids");
  requireLock(context, "holding snapshots");
  await using session = await openSession(context, { lock: "shared" });
  const snapshots = await findSnapshots(session, names, filterOf(flags, env));
  const word = flags.hold === true ? "held" : "released";
  const changed = await changeAndReport(context, session, {
    snapshots,
    changes: flags.hold === true ? { add: [HOLD_TAG] } : { remove: [HOLD_TAG] },
    line: (old, id) => `${old} is ${word}; its id is ${id} now`,
  });
  if (!globals.json && !globals.quiet && changed === 0) terminal.print(`nothing was ${word}`);
  return 0;
}
