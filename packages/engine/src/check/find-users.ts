import type { OperationOptions } from "@comeback/core";
import type { CpuPool } from "../cpu-pool/cpu-pool.ts";
import type { BlobTable } from "../index/blob-table.ts";
import type { Repository } from "../repository/repository.ts";
import { BitSet } from "./bit-set.ts";
import type { CheckResult } from "./check-options.ts";
import type { Reading } from "./plan-readings.ts";
import { whyUnusable } from "./problem-log.ts";
import type { PackReader } from "./read-packs.ts";
import type { ReachableTrees } from "./verify-trees.ts";

/** Blobs that are named as unused, at most. */
const UNUSED_NAMED_MAX = 1000;

interface FindUsersOptions extends OperationOptions {
  readonly repository: Repository;
  readonly table: BlobTable;
  readonly pool: CpuPool;
  readonly reader: PackReader;
  /** All trees. */
  readonly readings: readonly Reading[];
  readonly trees: ReachableTrees;
  /** Data blobs that no pack holds intact, as canonical entries. */
  readonly lost: ReadonlySet<number>;
}

/**
 * Reads all trees once more: which data blobs do the snapshots use, and which files need blobs that
 * are lost? The files are added to what is damaged in their trees.
 */
export async function findUsers(options: FindUsersOptions): Promise<BitSet> {
  const { repository, table, pool, reader, trees, lost } = options;
  const used = BitSet.create(table.count);
  const wanted = BitSet.create(table.count);
  for (const entry of lost) wanted.add(entry);
  await reader.each(options.readings, async (reading) => {
    const { startOffset, entries } = reading;
    try {
      const data = await reader.load(reading);
      const marks = { reached: trees.reached.shared, used: used.shared, wanted: wanted.shared };
      const input = { data, startOffset, entries, ...marks };
      const { users } = await pool.run("check.references", input, [data.buffer]);
      for (const { tree, nodeName } of users) {
        const names = trees.damaged.get(tree);
        if (names === undefined) trees.damaged.set(tree, new Set([nodeName]));
        else names.add(nodeName);
      }
    } catch (error) {
      // That this part of the pack cannot be read was found before, when all trees were verified.
      await whyUnusable(error, repository.backend, options);
    }
  });
  return used;
}

/** Blobs that no snapshot uses; copies of one blob count as one. */
export function countUnused(
  table: BlobTable,
  trees: ReachableTrees,
  usedData: BitSet,
): NonNullable<CheckResult["unused"]> {
  let blobs = 0;
  let bytes = 0;
  const ids: string[] = [];
  for (let entry = 0; entry < table.count; entry++) {
    if (table.canonical(entry) !== entry) continue;
    const used = table.typeOf(entry) === "tree" ? trees.reached : usedData;
    if (used.has(entry)) continue;
    blobs++;
    bytes += table.locationOf(entry).length;
    if (ids.length < UNUSED_NAMED_MAX) ids.push(table.idOf(entry));
  }
  return { blobs, bytes, ids };
}
