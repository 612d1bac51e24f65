import { isComebackError, type OperationOptions } from "@comeback/core";
import type { RepositoryIndex } from "../index/repository-index.ts";
import type { Repository } from "../repository/repository.ts";
import type { CheckProgress } from "./check-options.ts";
import type { LostBlobs } from "./lost-blobs.ts";
import {
  isBareMark,
  type ListedPacks,
  type PlannedReadings,
  type Reading,
} from "./plan-readings.ts";
import { type ProblemLog, whyUnusable } from "./problem-log.ts";
import type { PackReader } from "./read-packs.ts";
import { RepositoryChanged } from "./repository-changed.ts";
import type { CheckPackOutput, TreeFinding } from "./tasks.ts";
import type { TreeGraph } from "./tree-graph.ts";

/** What reading packs came to, for the parts of the check that follow. */
export class PackVerification {
  readonly graph: TreeGraph;
  readonly findings: Map<number, readonly TreeFinding[]> = new Map();
  readonly lost: LostBlobs;
  readonly damagedPacks: Set<string> = new Set();
  /** Packs that were read as a whole and are as they were written. */
  readonly verifiedPacks: Set<string> = new Set();
  packsRead = 0;
  blobsVerified = 0;

  constructor(graph: TreeGraph, lost: LostBlobs) {
    this.graph = graph;
    this.lost = lost;
  }

  /** Takes the trees that a worker read, and what it found in them. */
  addTrees(output: CheckPackOutput): void {
    const found = Map.groupBy(output.treeFindings, ({ tree }) => tree);
    for (const [tree, findings] of found) {
      if (!this.findings.has(tree)) this.findings.set(tree, findings);
    }
    this.graph.add(output.edges);
  }
}

interface VerifyPacksOptions extends OperationOptions {
  readonly repository: Repository;
  readonly index: RepositoryIndex;
  readonly packs: ListedPacks;
  readonly planned: PlannedReadings;
  readonly reader: PackReader;
  readonly log: ProblemLog;
  readonly progress: CheckProgress;
  /** Whether, after all other readings, something still leads to a tree that was not read. */
  needsDeferred(): boolean;
  /** Whether a pack that is gone may have gone since the index was loaded, for good reason. */
  mayHaveGone(pack: number): Promise<boolean>;
}

/** Verifies that packs are there with the size they must have, and all of those to be read. */
export async function verifyPacks(
  options: VerifyPacksOptions,
  result: PackVerification,
): Promise<void> {
  const { planned, reader, progress, index } = options;
  const wrongSizes = await reportFiles(options, result);
  const verifyAll = async (readings: readonly Reading[]): Promise<void> => {
    progress.packsTotal = progress.packsDone + readings.length;
    progress.bytesTotal = readings.reduce(
      (sum, { sizeBytes }) => sum + sizeBytes,
      progress.bytesDone,
    );
    await reader.each(readings, async (reading) => {
      const details = [...(wrongSizes.get(reading.pack) ?? [])];
      wrongSizes.delete(reading.pack);
      details.push(...(await verifyReading(options, reading, result)));
      progress.packsDone++;
      progress.bytesDone += reading.sizeBytes;
      if (details.length === 0) {
        if (reading.whole) result.verifiedPacks.add(reading.packId);
        return;
      }
      result.damagedPacks.add(reading.packId);
      options.log.addFile("pack", { type: "pack", name: reading.packId }, details);
    });
  };
  await verifyAll(planned.readings);
  if (planned.deferred.length > 0 && options.needsDeferred()) await verifyAll(planned.deferred);
  for (const [pack, details] of wrongSizes) {
    const name = index.packIds[pack] as string;
    result.damagedPacks.add(name);
    options.log.addFile("pack", { type: "pack", name }, details);
  }
}

/** Missing packs are reported at once; those of a wrong size together with what is found in them. */
async function reportFiles(
  { index, packs, log, mayHaveGone }: VerifyPacksOptions,
  result: PackVerification,
): Promise<Map<number, string[]>> {
  const { groups, listedSizes } = packs;
  const wrongSizes = new Map<number, string[]>();
  for (const [pack, name] of index.packIds.entries()) {
    const listed = listedSizes[pack] as number;
    const expected = groups.sizes[pack] as number;
    // A prune that runs beside us may just have deleted one that waited for it.
    if (isBareMark(index, groups, pack) || (listed < 0 && index.marks.has(pack))) continue;
    if (listed < 0) {
      if (await mayHaveGone(pack)) throw new RepositoryChanged();
      result.damagedPacks.add(name);
      const detail = `the index lists ${groups.blobCount(pack)} blobs in it`;
      log.addFile("pack-missing", { type: "pack", name }, [detail]);
    } else if (listed !== expected) {
      wrongSizes.set(pack, [`it has ${listed} bytes, and the index implies ${expected}`]);
    }
  }
  result.lost.addUnreachable(packs);
  return wrongSizes;
}

async function verifyReading(
  { repository, reader, index, mayHaveGone, ...options }: VerifyPacksOptions,
  reading: Reading,
  result: PackVerification,
): Promise<string[]> {
  let verified: Awaited<ReturnType<PackReader["verify"]>>;
  try {
    verified = await reader.verify(reading);
  } catch (error) {
    const isGone = isComebackError(error, "backend.not-found");
    if (isGone && (await mayHaveGone(reading.pack))) throw new RepositoryChanged();
    const why = await whyUnusable(error, repository.backend, options);
    result.lost.addUnreadable(reading.entries, why);
    return [why];
  }
  const { output, onlyOnce } = verified;
  result.addTrees(output);
  if (reading.whole) result.packsRead++;
  result.blobsVerified += output.blobsOpened;
  const details = [...output.problems];
  if (onlyOnce) {
    details.push("it held only when it was read a second time: storage or memory is not reliable");
  }
  for (const blob of output.damagedBlobs) {
    result.lost.addDamaged(blob);
    const { table } = index;
    const id = table.idOf(blob.entry).slice(0, 10);
    details.push(`${table.typeOf(blob.entry)} blob ${id}: ${blob.why}`);
  }
  return details;
}
