import { ExitCode, type PlanState } from "@comeback/core";
import { openCommandCatalog } from "../catalog/open-command-catalog.ts";
import { recordMessage } from "../catalog/record-message.ts";
import type { CommandContext } from "../context.ts";
import { hasFailed, wantsALook } from "./plan-outcome.ts";
import { renderAllHosts } from "./render-all-hosts.ts";
import { withLiveness } from "./with-liveness.ts";

/**
 * The plans of all hosts in the catalog, as they were recorded: what is allowed stands in each
 * host's own configuration, so that this says how runs ended, and not whether anybody is safe.
 */
export async function showAllHosts(
  context: CommandContext,
  names: readonly string[],
): Promise<number> {
  const { terminal, globals, clock } = context;
  await using catalog = await openCommandCatalog(context);
  const states = (await catalog.planStatesOfAllHosts())
    .filter(({ plan }) => names.length === 0 || names.includes(plan))
    .map((state) => withLiveness(state, catalog.host));
  if (globals.json) {
    const plans = states.map(recordMessage);
    terminal.print(JSON.stringify({ message_type: "status", hosts: "all", plans }));
  } else {
    const page = { states, nowMs: clock.now() };
    terminal.print(renderAllHosts(page, terminal.palette, terminal.columns).join("\n"));
  }
  return exitCodeOf(states);
}

function exitCodeOf(states: readonly PlanState[]): number {
  if (states.length === 0 || states.some(hasFailed)) return ExitCode.failed;
  return states.some(wantsALook) ? ExitCode.sourceIncomplete : ExitCode.done;
}
