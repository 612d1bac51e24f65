import type { RewriteItem, RewritePlan, Snapshot } from "@comeback/engine";
import { snapshotTitle } from "../snapshots/render-snapshots.ts";
import { formatLocalTime, formatMany } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";

/** What is to be done, snapshot by snapshot. */
export function renderRewritePlan({ items, failed }: RewritePlan): string[] {
  const lines = items.flatMap((item) => [
    snapshotTitle(item.snapshot),
    ...changeLines(item).map((line) => `  ${line}`),
  ]);
  for (const { snapshot, message } of failed) {
    lines.push(snapshotTitle(snapshot), `  stays as it is: ${printableText(message)}`);
  }
  return lines;
}

/** What was done in all, or in a dry run would be done. */
export function renderRewriteEnd({ items, unchanged, forget, dryRun }: RewritePlan): string {
  const would = dryRun ? "would be " : "";
  const old = forget && items.length > 0 ? `, the old ones ${would}removed` : "";
  const rest = unchanged.length === 0 ? "" : `, ${unchanged.length} unchanged`;
  return `${formatMany(items.length, "snapshot")} ${would}rewritten${old}${rest}`;
}

function changeLines({ changes, excluded }: RewriteItem): string[] {
  const { hostname, time, summary, tree } = changes;
  return [
    ...(tree === undefined ? [] : [`leaves out ${formatMany(excluded, "entry", "entries")}`]),
    ...(hostname === undefined ? [] : [`host is ${printableText(hostname)}`]),
    ...(time === undefined ? [] : [`time is ${formatLocalTime(time)}`]),
    ...(summary === undefined || tree !== undefined ? [] : ["counts its files and bytes"]),
  ];
}

/** One JSON document of all; restic has none. */
export function rewriteMessage(plan: RewritePlan, saved: ReadonlyMap<string, Snapshot>): string {
  const { items, unchanged, failed, forget, dryRun } = plan;
  return JSON.stringify({
    message_type: "summary",
    dry_run: dryRun,
    rewritten: items.map(({ snapshot, changes, excluded }) => {
      const rewritten = saved.get(snapshot.id);
      return {
        old_snapshot_id: snapshot.id,
        ...(rewritten === undefined ? {} : { new_snapshot_id: rewritten.id }),
        tree: changes.tree ?? snapshot.tree,
        excluded,
        old_removed: forget && rewritten !== undefined,
      };
    }),
    unchanged: unchanged.map(({ id }) => id),
    failed: failed.map(({ snapshot, message }) => ({ snapshot_id: snapshot.id, message })),
  });
}
