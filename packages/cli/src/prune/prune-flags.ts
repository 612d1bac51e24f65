import type { Command } from "commander";
import type { PruneOptions, UnusedLimit } from "@comeback/engine";
import { badUsage, badValue } from "../options/option-error.ts";
import { parseDurationMs, parseSizeBytes } from "../options/parse-values.ts";
import type { GlobalOptions } from "../options/global-options.ts";

/** What says how to prune; `forget --prune` has the same. */
export interface PruneFlags {
  readonly maxUnused?: string;
  readonly maxRepackSize?: string;
  readonly repackCacheableOnly?: true;
  readonly repackSmall?: true;
  readonly repackUncompressed?: true;
  readonly keepDelete?: string;
  readonly instant?: true;
}

export function addPruneOptions(command: Command): Command {
  return command
    .option("--max-unused <limit>", "unused data that may stay: 5%, 500M or unlimited")
    .option("--max-repack-size <size>", "copy at most this much, such as 10G")
    .option("--repack-cacheable-only", "leave packs of file contents as they are")
    .option("--repack-small", "put small packs together")
    .option("--repack-uncompressed", "compress what is not compressed yet")
    .option("--keep-delete <duration>", "delete what was marked this long ago; 23h")
    .option("--instant", "delete at once, and keep everybody out meanwhile");
}

export type PruneWish = Pick<
  PruneOptions,
  | "mode"
  | "maxUnused"
  | "maxRepackBytes"
  | "repackCacheableOnly"
  | "repackSmall"
  | "repackUncompressed"
  | "keepDeleteMs"
>;

/** Everything that the command line says of a prune, checked before the repository is opened. */
export function pruneWishOf(flags: PruneFlags, globals: GlobalOptions): PruneWish {
  const { maxUnused, maxRepackSize, keepDelete, instant = false } = flags;
  if (flags.repackUncompressed === true && globals.compression === "off") {
    throw badUsage("--repack-uncompressed needs compression", "leave --compression off out");
  }
  if (instant && keepDelete !== undefined) {
    throw badUsage("--instant keeps nothing for later", "leave --keep-delete or --instant out");
  }
  return {
    mode: instant ? "instant" : "two-phase",
    ...(maxUnused === undefined ? {} : { maxUnused: parseUnusedLimit(maxUnused) }),
    ...(maxRepackSize === undefined
      ? {}
      : { maxRepackBytes: parseSizeBytes("--max-repack-size", maxRepackSize) }),
    repackCacheableOnly: flags.repackCacheableOnly === true,
    repackSmall: flags.repackSmall === true,
    repackUncompressed: flags.repackUncompressed === true,
    ...(keepDelete === undefined
      ? {}
      : { keepDeleteMs: parseDurationMs("--keep-delete", keepDelete) }),
  };
}

/** As restic: a percentage of the repository below 100, a size, or `unlimited`. */
export function parseUnusedLimit(text: string): UnusedLimit {
  const wanted = text.trim();
  if (wanted === "unlimited") return { kind: "unlimited" };
  const share = /^(\d+(?:\.\d+)?)%$/.exec(wanted);
  if (share === null) {
    return { kind: "size", sizeBytes: parseSizeBytes("--max-unused", wanted) };
  }
  const percentage = Number(share[1]);
  if (percentage < 100) return { kind: "percentage", percentage };
  throw badValue("--max-unused", text, "a percentage below 100, a size such as 1G, or unlimited");
}
