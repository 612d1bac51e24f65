import { ExitCode } from "@comeback/core";
import type { Configuration } from "@comeback/operations";
import type { CommandContext } from "../context.ts";
import { renderTable } from "../terminal/table.ts";

/** The channels, what they are told, and who tells them. */
export function listChannels(
  { terminal, globals }: CommandContext,
  { channels, plans }: Configuration,
): number {
  const listed = Object.entries(channels).map(([name, { kind, events, severity, digest }]) => ({
    name,
    kind,
    severity,
    events: events ?? null,
    digest: digest ?? null,
    plans: Object.keys(plans).filter((plan) => plans[plan]?.notify.includes(name)),
  }));
  if (globals.json) {
    terminal.print(JSON.stringify(listed));
    return ExitCode.done;
  }
  if (listed.length === 0) {
    terminal.print("there is no channel: name one under `channels`, and in `notify` of a plan");
    return ExitCode.done;
  }
  const rows = listed.map(({ name, kind, severity, events, digest, plans: told }) => [
    name,
    kind,
    severity,
    events === null ? "all" : events.length === 0 ? "none" : events,
    digest ?? "-",
    told.length === 0 ? "none" : told,
  ]);
  const columns = ["Channel", "Kind", "From", "Events", "Digest", "Plans"];
  terminal.print(
    renderTable(
      columns.map((title) => ({ title })),
      rows,
    ).join("\n"),
  );
  return ExitCode.done;
}
