import { type Backend, ComebackError, isComebackError } from "@comeback/core";
import {
  examineHotPart,
  type HotRepairPlan,
  type HotRepairResult,
  planHotRepair,
  repairHot,
} from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { openBackend } from "../opening/open-backend.ts";
import { refusal } from "../opening/open-storage.ts";
import { openSession } from "../opening/session.ts";
import { badUsage } from "../options/option-error.ts";
import { formatBytes, formatMany } from "../terminal/format-values.ts";
import { namedFew } from "./named-few.ts";
import { startRepair } from "./start-repair.ts";

/** Makes the hot part hold what the cold one says it should: a lost one, or a first one. */
export async function repairHotPart(context: CommandContext, dryRun: boolean): Promise<number> {
  const { hotRepository } = context.globals;
  if (hotRepository === undefined) {
    throw badUsage("`repair hot` needs a hot part", "say where it is with --repo-hot");
  }
  const cold = { ...context, globals: { ...context.globals, hotRepository: undefined } };
  // Nobody may be between a file's way into the hot part and into the cold one.
  const lock = dryRun ? "shared" : "exclusive";
  await using session = await openSession(cold, { lock, useCache: false });
  const { repository, signal } = session;
  await session.mayWrite;
  await repository.loadIndex({ includeMarked: true, signal });
  await using hot = await reachHot(context, hotRepository, dryRun);
  const state = hot === undefined ? "missing" : await examineHotPart(repository, hot, { signal });
  if (state === "whole" || state === "other") throw refusal(hotRepository, state);
  using repair = startRepair(context);
  const { observer } = repair;
  if (hot === undefined) {
    repair.show(["there is nothing of a hot part there: all of it would be made"]);
    return 0;
  }
  const plan = await planHotRepair({ repository, hot, state, signal });
  repair.show(renderPlan(plan));
  if (dryRun || !plan.isNeeded) {
    repair.message(messageOf(plan));
    return 0;
  }
  const result = await repairHot({ repository, hot, plan, observer, signal });
  repair.message(messageOf(plan, result));
  repair.show(renderResult(result));
  if (result.failures.length === 0) return 0;
  throw new ComebackError("repair.incomplete", "the hot part lacks some files", {
    why: `${formatMany(result.failures.length, "file")} could not be copied from the cold part`,
    next: "run `comeback check`, thaw what is archived, then repeat this; until then it is slower",
  });
}

/** A dry run makes nothing, not even folders. */
async function reachHot(
  context: CommandContext,
  location: string,
  dryRun: boolean,
): Promise<Backend | undefined> {
  try {
    return await openBackend(context, location);
  } catch (error) {
    if (!isComebackError(error, "repository.none")) throw error;
    return dryRun ? undefined : openBackend(context, location, "create");
  }
}

function renderPlan({ toCopy, toRemove, config, isNeeded }: HotRepairPlan): string[] {
  if (!isNeeded) return ["the hot part has all that it should have: nothing to do"];
  const bytes = toCopy.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const configWords = { fits: "stays", missing: "is written", outdated: "is replaced" } as const;
  return [
    `to copy from the cold part: ${formatMany(toCopy.length, "file")}, ${formatBytes(bytes)}`,
    `to remove from the hot part: ${formatMany(toRemove.length, "file")}`,
    `its config ${configWords[config]}`,
  ];
}

function renderResult({ filesCopied, filesRemoved, failures }: HotRepairResult): string[] {
  const failed = failures.map(({ file, why }) => `${file.type} ${file.name.slice(0, 10)}: ${why}`);
  return [
    `${formatMany(filesCopied, "file")} copied, ${formatMany(filesRemoved, "file")} removed`,
    ...namedFew(failed),
  ];
}

function messageOf(plan: HotRepairPlan, result?: HotRepairResult): string {
  return JSON.stringify({
    message_type: "summary",
    dry_run: result === undefined,
    files_to_copy: plan.toCopy.length,
    bytes_to_copy: plan.toCopy.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    files_to_remove: plan.toRemove.length,
    config: plan.config,
    ...(result === undefined
      ? {}
      : {
          files_copied: result.filesCopied,
          files_removed: result.filesRemoved,
          failures: result.failures.map(({ file, why }) => ({ ...file, why })),
        }),
  });
}
