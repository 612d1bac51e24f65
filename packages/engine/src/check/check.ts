import { CHECK_ROUNDS_MAX, type ListedFile } from "@comeback/core";
import { CpuPool } from "../cpu-pool/cpu-pool.ts";
import { workerSetup } from "../cpu-pool/worker-setup.ts";
import { RepositoryIndex } from "../index/repository-index.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { CheckCoverage } from "./check-memory.ts";
import type {
  AffectedPath,
  CheckCounts,
  CheckOptions,
  CheckProgress,
  CheckResult,
} from "./check-options.ts";
import { countUnused, findUsers } from "./find-users.ts";
import { loadIndexFiles } from "./load-index.ts";
import { LostBlobs } from "./lost-blobs.ts";
import { nameAffected } from "./name-affected.ts";
import { type ListedPacks, listPacks, planReadings, planTreeReadings } from "./plan-readings.ts";
import { ProblemLog } from "./problem-log.ts";
import { PackReader } from "./read-packs.ts";
import { isIndexReplaced, RepositoryChanged } from "./repository-changed.ts";
import { TreeGraph } from "./tree-graph.ts";
import { PackVerification, verifyPacks } from "./verify-packs.ts";
import { verifyKeys, verifySnapshots } from "./verify-snapshots.ts";
import { leadsToUnread, type ReachableTrees, verifyTrees } from "./verify-trees.ts";

/**
 * Verifies a repository: every key, snapshot and index file; that every pack is there with the size
 * it must have; every tree, down to the presence of each blob it names; and as much of the data as
 * is asked for. Damage is never thrown, but named in the result. What is thrown is an abort, or a
 * store that cannot be reached.
 *
 * The caller holds a lock: an exclusive one, or at least one that keeps others from removing packs.
 */
export async function check(options: CheckOptions): Promise<CheckResult> {
  const progress: CheckProgress = {
    phase: "snapshots",
    packsDone: 0,
    packsTotal: 0,
    bytesDone: 0,
    bytesTotal: 0,
    problems: 0,
  };
  options.observer?.onStart?.(progress);
  const run = new CheckRun(options, progress);
  const result = await run.execute();
  progress.phase = "done";
  return result;
}

interface Findings {
  readonly index?: RepositoryIndex;
  readonly packs?: ListedPacks;
  readonly verification?: PackVerification;
  readonly trees?: ReachableTrees;
  readonly affected?: { readonly paths: readonly AffectedPath[]; readonly isComplete: boolean };
  readonly unused?: NonNullable<CheckResult["unused"]>;
}

class CheckRun {
  readonly #options: CheckOptions;
  readonly #progress: CheckProgress;
  readonly #log: ProblemLog;
  /** Packs that were verified before the check began anew, and what was counted in them. */
  readonly #verified = new Set<string>();
  #blobsVerified = 0;
  #mayBeginAnew = true;
  #snapshots: readonly Snapshot[] = [];
  #indexFiles: readonly ListedFile[] = [];

  constructor(options: CheckOptions, progress: CheckProgress) {
    this.#options = options;
    this.#progress = progress;
    this.#log = new ProblemLog(options.observer, progress);
  }

  /** Begins anew where a prune beside it has taken packs away that the index still listed. */
  async execute(): Promise<CheckResult> {
    for (let round = 1; ; round++) {
      this.#mayBeginAnew = round < CHECK_ROUNDS_MAX;
      try {
        return await this.#round();
      } catch (error) {
        if (!(error instanceof RepositoryChanged)) throw error;
        this.#log.restart();
      }
    }
  }

  async #round(): Promise<CheckResult> {
    const { repository, signal } = this.#options;
    await verifyKeys(repository, this.#log, { signal });
    // In the reverse order of writing, so that nothing is missing that a running backup adds.
    this.#snapshots = await verifySnapshots(repository, this.#log, { signal });
    this.#progress.phase = "index";
    const files: ListedFile[] = [];
    for await (const file of repository.backend.list("index", { signal })) files.push(file);
    this.#indexFiles = files;
    const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const index = RepositoryIndex.forFiles(bytes, { includeMarked: true });
    await using pool = this.#startPool(index);
    const isIntact = await loadIndexFiles(repository, index, files, this.#log, { signal });
    if (!isIntact) return this.#result({});
    const packs = await listPacks(repository, index, this.#log, { signal });
    return this.#result({ index, packs, ...(await this.#verifyContent(index, packs, pool)) });
  }

  async #verifyContent(
    index: RepositoryIndex,
    packs: ListedPacks,
    pool: CpuPool,
  ): Promise<Findings> {
    const { repository, signal, readData = { kind: "none" }, findUnused, memory } = this.#options;
    const log = this.#log;
    const progress = this.#progress;
    const reader = new PackReader(repository.backend, pool, { signal });
    const wish = { readData, memory, verified: this.#verified };
    const planned = planReadings(repository, index, packs, wish);
    const lost = new LostBlobs(index);
    const verification = new PackVerification(new TreeGraph(index.table), lost);
    progress.phase = "packs";
    const context = { repository, index, packs, reader, signal };
    const mayHaveGone = (pack: number): Promise<boolean> => this.#mayHaveGone(index, pack);
    try {
      const needsDeferred = (): boolean =>
        leadsToUnread(index, this.#snapshots, verification.graph);
      const how = { planned, log, progress, mayHaveGone, needsDeferred };
      await verifyPacks({ ...context, ...how }, verification);
    } finally {
      this.#noteVerified(verification);
    }
    progress.phase = "trees";
    const trees = verifyTrees(index, this.#snapshots, verification, log);
    const lostData = lost.lostData();
    const findings: Findings = { verification, trees };
    let unused: Findings["unused"];
    if (findUnused === true || lostData.size > 0) {
      const again = planTreeReadings(index, packs);
      const users = { ...context, table: index.table, pool, readings: again, trees };
      const used = await findUsers({ ...users, lost: lostData });
      if (findUnused === true) unused = countUnused(index.table, trees, used);
    }
    progress.phase = "naming";
    const { graph } = verification;
    const affected = await nameAffected({ ...context, graph, trees, snapshots: this.#snapshots });
    return { ...findings, affected, ...(unused === undefined ? {} : { unused }) };
  }

  async #mayHaveGone(index: RepositoryIndex, pack: number): Promise<boolean> {
    const { repository, signal } = this.#options;
    if (!this.#mayBeginAnew) return false;
    return (
      index.marks.has(pack) ||
      (await isIndexReplaced(repository.backend, this.#indexFiles, { signal }))
    );
  }

  #noteVerified({ verifiedPacks, damagedPacks, blobsVerified }: PackVerification): void {
    const { memory, repository } = this.#options;
    const nowMs = repository.clock.now();
    for (const id of verifiedPacks) memory?.noteVerified(id, nowMs);
    for (const id of damagedPacks) memory?.noteDamaged(id);
    for (const id of verifiedPacks) this.#verified.add(id);
    this.#blobsVerified += blobsVerified;
  }

  /** What the memory knows of the packs that there are now. */
  #coverage(index: RepositoryIndex, { groups }: ListedPacks): CheckCoverage | undefined {
    const { memory, repository, readData } = this.#options;
    if (memory === undefined) return undefined;
    const nowMs = repository.clock.now();
    const isChosen = readData?.kind === "every";
    const present = index.packIds.map((id, pack) => {
      return { id, sizeBytes: groups.sizes[pack] as number };
    });
    memory.notePresent(present, nowMs);
    if (isChosen) memory.noteChosen(nowMs);
    return memory.coverage(present, nowMs, isChosen ? readData.everyMs : undefined);
  }

  /** Starts the workers while the index is still being loaded. */
  #startPool(index: RepositoryIndex): CpuPool {
    const { repository, workers } = this.#options;
    const pool = new CpuPool({
      setup: workerSetup(repository, index.table.shared),
      ...(workers === undefined ? {} : { workers }),
    });
    for (let i = 0; i < pool.size; i++) pool.run("check.prepare", null).catch(() => {});
    return pool;
  }

  #result({ index, packs, verification, trees, affected, unused }: Findings): CheckResult {
    const counts: CheckCounts = {
      indexFiles: this.#indexFiles.length,
      snapshots: this.#snapshots.length,
      packs: index?.packIds.length ?? 0,
      blobs: index?.table.count ?? 0,
      packBytes: packs?.groups.sizes.reduce((sum, bytes) => sum + bytes, 0) ?? 0,
      trees: trees?.count ?? 0,
      packsRead: verification?.packsRead ?? 0,
      bytesRead: this.#progress.bytesDone,
      blobsVerified: this.#blobsVerified,
    };
    const isComplete = index !== undefined && packs !== undefined;
    const coverage = isComplete ? this.#coverage(index, packs) : undefined;
    return {
      ok: this.#log.count === 0,
      problems: this.#log.problems,
      problemCount: this.#log.count,
      hints: this.#log.hints,
      counts,
      affected: affected?.paths ?? [],
      affectedIsComplete: affected?.isComplete ?? false,
      unchecked: index === undefined ? ["packs", "trees", "data"] : [],
      damagedPacks: [...(verification?.damagedPacks ?? [])],
      ...(coverage === undefined ? {} : { coverage }),
      ...(unused === undefined ? {} : { unused }),
    };
  }
}
