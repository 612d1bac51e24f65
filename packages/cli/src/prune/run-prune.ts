import { executePrune, planPrune } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import type { OpenOptions, Session } from "../opening/session.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";
import type { PruneWish } from "./prune-flags.ts";
import { PruneView } from "./prune-view.ts";
import {
  changesAnything,
  prunePlanMessage,
  pruneSummaryMessage,
  renderPrunePlan,
  renderPruneResult,
} from "./render-prune.ts";

/** The lock that a prune needs: it excludes other prunes, or everybody where it deletes at once. */
export function pruneLock(wish: PruneWish, dryRun: boolean): OpenOptions {
  const isExclusive = wish.mode === "instant" && !dryRun;
  return { lock: isExclusive ? "exclusive" : "shared", activity: "prune" };
}

/** Plans, shows, and unless it is a dry run carries out. The session's index is replaced. */
export async function pruneAndReport(
  context: CommandContext,
  session: Session,
  wish: PruneWish & { readonly dryRun: boolean; readonly ignoreSnapshots?: ReadonlySet<string> },
): Promise<void> {
  const { terminal, globals, env } = context;
  const { repository, signal } = session;
  const { dryRun, ...options } = wish;
  // There are no status messages: lines of progress would stand between the two documents.
  const quiet = globals.quiet || globals.json;
  using ticker = new ProgressTicker({ terminal, env, json: false, quiet });
  const observer = {
    onStart: (progress: ConstructorParameters<typeof PruneView>[0]) =>
      ticker.start(new PruneView(progress)),
  };
  // Nobody else may be writing when an exclusive prune looks at what there is.
  await session.mayWrite;
  const prepared = await planPrune({ repository, signal, observer, ...options });
  const { plan } = prepared;
  ticker.stop();
  if (globals.json) terminal.print(JSON.stringify(prunePlanMessage(plan, dryRun)));
  else if (!globals.quiet) {
    terminal.print(renderPrunePlan(plan, globals.verbosity > 0).join("\n"));
  }
  if (dryRun) {
    if (!quiet) terminal.print(changesAnything(plan) ? "nothing was changed" : "nothing to do");
    return;
  }
  const { mayWrite } = session;
  const result = await executePrune(prepared, { signal, observer, mayWrite });
  ticker.stop();
  if (globals.json) terminal.print(JSON.stringify(pruneSummaryMessage(result)));
  else if (!globals.quiet) terminal.print(renderPruneResult(result, plan).join("\n"));
}
