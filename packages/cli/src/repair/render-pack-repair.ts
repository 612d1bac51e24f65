import type { PackFinding, PackRepairPlan, PackRepairResult } from "@comeback/engine";
import { formatBytes, formatMany } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";
import { namedFew } from "./named-few.ts";

function findingText(pack: PackFinding): string {
  switch (pack.state) {
    case "sound":
      return "it is sound, and stays as it is";
    case "unknown":
      return "nothing says what is in it, and it stays as it is";
    case "missing":
      return `it is missing, with ${formatMany(pack.lostBlobs, "blob")}; the index forgets it`;
    case "damaged": {
      const saved = `${formatMany(pack.intactBlobs, "blob")} to save`;
      return `${saved} (${formatBytes(pack.intactBytes)}), ${pack.lostBlobs} lost`;
    }
  }
}

/** What of each pack can be saved. */
export function renderPackPlan(plan: PackRepairPlan): string[] {
  const lines = plan.packs.flatMap((pack) => [
    `pack ${pack.id.slice(0, 10)}: ${findingText(pack)}`,
    ...namedFew(pack.problems.map(printableText)),
    ...namedFew(
      pack.lost.map(({ type, id }) => `lost: ${type} blob ${id.slice(0, 10)}`),
      pack.lostBlobs,
    ),
  ]);
  return plan.isNeeded ? lines : [...lines, "nothing to do"];
}

export function renderPackResult({
  blobsSaved,
  blobsLost,
  packsRemoved,
}: PackRepairResult): string[] {
  const done =
    `${formatMany(blobsSaved, "blob")} saved in new packs, ` +
    `${formatMany(packsRemoved, "damaged pack")} removed`;
  if (blobsLost === 0) return [`${done}, nothing lost`];
  return [
    `${done}, ${formatMany(blobsLost, "blob")} lost`,
    "A backup stores again what its source still has. What stays lost can then be cut",
    "out of the snapshots with `comeback repair snapshots`.",
  ];
}

export function packRepairMessage(plan: PackRepairPlan, result?: PackRepairResult): string {
  return JSON.stringify({
    message_type: "summary",
    dry_run: result === undefined,
    packs: plan.packs.map((pack) => ({
      id: pack.id,
      state: pack.state,
      size: pack.sizeBytes,
      problems: pack.problems,
      intact_blobs: pack.intactBlobs,
      lost_blobs: pack.lostBlobs,
      lost: pack.lost,
    })),
    ...(result === undefined
      ? {}
      : {
          blobs_saved: result.blobsSaved,
          blobs_lost: result.blobsLost,
          packs_removed: result.packsRemoved,
        }),
  });
}
