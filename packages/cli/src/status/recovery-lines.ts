import {
  type LoadedConfiguration,
  recoveryTimeOf,
  recoveryTimeText,
  unusableCatalog,
} from "@comeback/operations";
import type { CommandContext } from "../context.ts";
import { hostOf } from "../configuration/host-of.ts";
import { openRunCatalog } from "../run/open-run-catalog.ts";

/** Of plans that say how long a recovery may take, how long it does. */
export async function recoveryLines(
  context: CommandContext,
  { configuration }: LoadedConfiguration,
  names: readonly string[],
): Promise<string[]> {
  const wanted = names.filter((name) => configuration.plans[name]?.objectives.rto !== undefined);
  if (wanted.length === 0) return [];
  const catalog = await openRunCatalog(context, configuration, false).catch((error: unknown) => {
    context.signal.throwIfAborted();
    return unusableCatalog(hostOf(configuration), error);
  });
  await using _open = catalog;
  const lines: string[] = [];
  for (const name of wanted) {
    const [state] = await catalog.planStates([name]).catch(() => []);
    const time = state && (await recoveryTimeOf(catalog, state));
    lines.push(`${name}: ${recoveryTimeText(time)}`);
  }
  return lines;
}
