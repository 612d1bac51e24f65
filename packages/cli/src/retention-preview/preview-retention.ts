import { ExitCode } from "@comeback/core";
import {
  CALENDAR_DURATION_FORMS,
  listSnapshots,
  parseCalendarDuration,
  type Snapshot,
} from "@comeback/engine";
import {
  type LoadedConfiguration,
  type PlanSettings,
  type RetentionSimulation,
  simulateRetention,
} from "@comeback/operations";
import { destinationContext } from "../configuration/destination-context.ts";
import { hostOf } from "../configuration/host-of.ts";
import type { CommandContext } from "../context.ts";
import { openSession } from "../opening/session.ts";
import { badUsage, badValue } from "../options/option-error.ts";
import { renderSimulation } from "./render-simulation.ts";

export const PREVIEW_DEFAULT = "90d";

export interface PreviewFlags {
  readonly preview: string;
  readonly fromRepository?: true;
}

/** Shows what retention will keep of the coming time's runs. Changes nothing. */
export async function previewRetention(
  context: CommandContext,
  loaded: LoadedConfiguration,
  { names, flags }: { readonly names: readonly string[]; readonly flags: PreviewFlags },
): Promise<number> {
  const { terminal, globals, clock } = context;
  const { configuration } = loaded;
  const fromMs = clock.now();
  const untilMs = endOf(fromMs, flags.preview);
  const scheduled = names.filter((name) => isScheduled(configuration.plans[name]!));
  if (scheduled.length === 0) {
    throw badUsage("there is no schedule to look ahead on", "give the plan a `schedule`");
  }
  for (const [place, name] of scheduled.entries()) {
    const plan = configuration.plans[name]!;
    const existing =
      flags.fromRepository === true
        ? await existingSnapshots(context, loaded, name)
        : new Map<string, readonly Snapshot[]>();
    const options = { configuration, name, plan, fromMs, untilMs, existing };
    const simulation = simulateRetention(options);
    if (globals.json) terminal.print(JSON.stringify(simulationMessage(simulation)));
    else {
      if (place > 0) terminal.print("");
      terminal.print(renderSimulation(simulation, terminal.palette).join("\n"));
    }
  }
  return ExitCode.done;
}

function isScheduled({ schedule }: PlanSettings): boolean {
  return Object.values(schedule?.triggers ?? {}).some((text) => text !== undefined);
}

function endOf(fromMs: number, text: string): number {
  const span = parseCalendarDuration(text);
  if (span === undefined) throw badValue("--preview", text, CALENDAR_DURATION_FORMS);
  const end = new Date(fromMs);
  end.setFullYear(end.getFullYear() + span.years, end.getMonth() + span.months);
  end.setDate(end.getDate() + span.days);
  end.setHours(end.getHours() + span.hours);
  return end.getTime();
}

/** What every place of the plan has of it. Opened without a lock: it is only looked at. */
async function existingSnapshots(
  context: CommandContext,
  loaded: LoadedConfiguration,
  name: string,
): Promise<ReadonlyMap<string, readonly Snapshot[]>> {
  const { configuration } = loaded;
  const { to, copies } = configuration.plans[name]!;
  const filter = { hosts: [hostOf(configuration)], tags: [[`plan:${name}`]] };
  const existing = new Map<string, readonly Snapshot[]>();
  for (const destination of new Set([...to, ...copies.map((copy) => copy.to)])) {
    if (configuration.destinations[destination]?.replica !== undefined) continue;
    const inside = await destinationContext(context, loaded, destination);
    await using session = await openSession(inside, { lock: "none" });
    const { repository, signal } = session;
    existing.set(destination, await listSnapshots(repository, filter, { signal }));
  }
  return existing;
}

function simulationMessage({
  fromMs,
  untilMs,
  destinations,
  ...rest
}: RetentionSimulation): object {
  return {
    message_type: "retention_preview",
    ...rest,
    from: new Date(fromMs).toISOString(),
    until: new Date(untilMs).toISOString(),
    destinations: destinations.map(({ kept, hasRules, ...destination }) => ({
      ...destination,
      has_rules: hasRules,
      kept: kept.map(({ atMs, type, reasons, isThere }) => ({
        time: new Date(atMs).toISOString(),
        type,
        reasons,
        is_there: isThere,
      })),
    })),
  };
}
