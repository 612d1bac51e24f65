import { ExitCode } from "@comeback/core";
import { isClean, listLeftOver, undoLeftOver } from "@comeback/operations/undo";
import type { CommandContext } from "../context.ts";
import { leftOverMessage, renderLeftOver, renderUndo, undoMessage } from "./render-undo.ts";
import { undoExecutorFor } from "./undo-executor-for.ts";

/**
 * `comeback run --undo`: shows what runs that have gone left behind and, unless it is only asked
 * for, undoes it. Resolves to the exit code: failed where something is still left.
 */
export async function clearLeftOver(
  {
    terminal,
    globals,
    clock,
    signal,
    env,
  }: Pick<CommandContext, "terminal" | "globals" | "clock" | "signal" | "env">,
  { stateFolder, dryRun }: { readonly stateFolder: string; readonly dryRun: boolean },
): Promise<ExitCode> {
  const leftOver = await listLeftOver(stateFolder);
  if (dryRun) {
    if (globals.json) terminal.print(leftOverMessage(leftOver));
    else for (const line of renderLeftOver(leftOver, terminal.palette)) terminal.print(line);
    return ExitCode.done;
  }
  const reports = await undoLeftOver(leftOver, {
    executorFor: undoExecutorFor({ env, clock }),
    clock,
    clearsDamaged: true,
    signal,
  });
  if (globals.json) terminal.print(undoMessage(reports));
  else for (const line of renderUndo(reports, terminal.palette)) terminal.print(line);
  return reports.every(isClean) ? ExitCode.done : ExitCode.failed;
}
