import type { IndexRepairPlan, IndexRepairResult } from "@comeback/engine";
import { formatMany } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";
import { namedFew } from "./named-few.ts";

const REASON_WORDS: Readonly<Record<IndexRepairPlan["packsToRead"][number]["reason"], string>> = {
  "not-indexed": "no index file lists it",
  "other-size": "it is not as large as the index says",
  "listed-differently": "index files do not agree about it",
  "asked-for": "",
};

/** What is wrong with the index, and so what is done about it. */
export function renderIndexPlan(plan: IndexRepairPlan): string[] {
  const { damagedIndexFiles, replacedIndexFiles, missingPacks, packsToRead } = plan;
  const lines = [`${formatMany(plan.indexFiles, "index file")}, ${formatMany(plan.packs, "pack")}`];
  const section = (title: string, items: readonly string[]): void => {
    if (items.length > 0) lines.push(title, ...namedFew(items));
  };
  section(
    `${formatMany(damagedIndexFiles.length, "damaged index file")} to replace:`,
    damagedIndexFiles.map(({ name, why }) => `index ${name.slice(0, 10)}: ${printableText(why)}`),
  );
  section(
    `${formatMany(missingPacks.length, "missing pack")} to forget:`,
    missingPacks.map((id) => `pack ${id.slice(0, 10)}`),
  );
  const odd = packsToRead.filter(({ reason }) => reason !== "asked-for");
  section(
    `${formatMany(odd.length, "pack")} to list anew:`,
    odd.map(({ name, reason }) => `pack ${name.slice(0, 10)}: ${REASON_WORDS[reason]}`),
  );
  if (odd.length < packsToRead.length) {
    lines.push(`the headers of all ${formatMany(packsToRead.length, "pack")} to read`);
  }
  if (plan.packsListedTwice > 0) {
    lines.push(`${formatMany(plan.packsListedTwice, "pack")} in several index files`);
  }
  if (replacedIndexFiles.length > 0) {
    lines.push(`${formatMany(replacedIndexFiles.length, "index file")} to write anew`);
  }
  if (!plan.isNeeded) lines.push("the index fits the packs: nothing to do");
  return lines;
}

export function renderIndexResult(result: IndexRepairResult): string[] {
  const { unreadablePacks, packsRead, indexFilesWritten, indexFilesRemoved } = result;
  const lines: string[] = [];
  if (unreadablePacks.length > 0) {
    lines.push(`${formatMany(unreadablePacks.length, "pack")} with a header that cannot be read:`);
    const text = unreadablePacks.map(({ name, why, isIndexed }) => {
      const what = isIndexed ? "" : "; nothing says what is in it, and it is left alone";
      return `pack ${name.slice(0, 10)}: ${printableText(why)}${what}`;
    });
    lines.push(...namedFew(text));
  }
  return [
    ...lines,
    `the index is repaired: ${formatMany(packsRead, "pack")} read, ` +
      `${formatMany(indexFilesWritten, "index file")} written, ${indexFilesRemoved} removed`,
  ];
}

export function indexRepairMessage(plan: IndexRepairPlan, result?: IndexRepairResult): string {
  return JSON.stringify({
    message_type: "summary",
    dry_run: result === undefined,
    index_files: plan.indexFiles,
    packs: plan.packs,
    damaged_index_files: plan.damagedIndexFiles,
    replaced_index_files: plan.replacedIndexFiles,
    missing_packs: plan.missingPacks,
    packs_to_read: plan.packsToRead.map(({ name, sizeBytes, reason }) => {
      return { id: name, size: sizeBytes, reason };
    }),
    packs_listed_twice: plan.packsListedTwice,
    ...(result === undefined
      ? {}
      : {
          packs_read: result.packsRead,
          unreadable_packs: result.unreadablePacks.map(({ name, why, isIndexed }) => {
            return { id: name, why, indexed: isIndexed };
          }),
          index_files_written: result.indexFilesWritten,
          index_files_removed: result.indexFilesRemoved,
        }),
  });
}
