import type { OperationOptions } from "@comeback/core";
import { ComebackError, isComebackError } from "@comeback/core";
import { eachConcurrently, type Repository } from "../repository/repository.ts";
import {
  bySnapshotTime,
  loadSnapshot,
  matchesFilter,
  type SnapshotFilter,
} from "../repository/snapshots.ts";
import { isHeld } from "../snapshot/hold.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { type Mending, TreeMender } from "./mend-trees.ts";
import { enterPhase, type RepairObserver, startProgress } from "./repair-progress.ts";
import { requireSoundIndex } from "./require-sound-index.ts";
import type { DamagedFile } from "./survey-index.ts";

export interface SnapshotFinding {
  readonly id: string;
  readonly time: string;
  readonly paths: readonly string[];
  /** `sound`: it stays. `mended`: `tree` stands in for its tree. `unreadable`: nothing is left. */
  readonly state: "sound" | "mended" | "unreadable";
  readonly tree: string;
  /** It is not removed, whatever is left of it. */
  readonly isHeld: boolean;
  /** What is done in it; a folder that several snapshots share is told of in the first. */
  readonly mendings: readonly Mending[];
  readonly mendingCount: number;
}

/** What `repairSnapshots` would do. Plain data. */
export interface SnapshotRepairPlan {
  /** Mended snapshots take the place of the old ones; what nothing is left of goes. */
  readonly forget: boolean;
  readonly snapshots: readonly SnapshotFinding[];
  /** Snapshot files that cannot be read: with `forget` they go, too. */
  readonly damagedSnapshotFiles: readonly DamagedFile[];
  readonly isNeeded: boolean;
}

export interface PlanSnapshotRepairOptions extends OperationOptions {
  /** Open; its index is loaded anew. */
  readonly repository: Repository;
  readonly forget?: boolean;
  /** Ids of the snapshots that are meant, or their beginnings; default: all that pass the filter. */
  readonly ids?: readonly string[];
  readonly filter?: SnapshotFilter;
  readonly observer?: RepairObserver;
}

/**
 * Reads all trees of the snapshots and says what has to be cut out of them. Nothing is stored.
 *
 * Snapshots come first and the index after them, when every list shows it: the other way round, what
 * a backup saves meanwhile would be a snapshot of which nothing is left.
 */
export async function planSnapshotRepair(
  options: PlanSnapshotRepairOptions,
): Promise<SnapshotRepairPlan> {
  const { repository, forget = false, observer, signal } = options;
  const progress = startProgress(observer);
  const { snapshots, damaged } = await loadWanted(options);
  const { listLagMs } = repository.backend;
  if (listLagMs > 0) await repository.clock.sleep(listLagMs, signal);
  await repository.loadIndex({ includeMarked: true, signal });
  await requireSoundIndex(repository, { signal });
  enterPhase(progress, "trees", 0);
  const mender = new TreeMender({ repository, signal, onTree: () => progress.done++ });
  const findings: SnapshotFinding[] = [];
  for (const snapshot of snapshots) {
    const { length } = mender.mendings;
    const count = mender.mendingCount;
    const tree = await mender.mend(snapshot.tree);
    findings.push({
      id: snapshot.id,
      time: snapshot.time,
      paths: snapshot.paths,
      state: tree === undefined ? "unreadable" : tree === snapshot.tree ? "sound" : "mended",
      tree: tree ?? snapshot.tree,
      isHeld: isHeld(snapshot),
      mendings: mender.mendings.slice(length),
      mendingCount: mender.mendingCount - count,
    });
  }
  progress.phase = "done";
  const plan = { forget, snapshots: findings, damagedSnapshotFiles: damaged };
  const isNeeded =
    findings.some(({ state }) => state === "mended") ||
    (forget && hopelessSnapshots(plan).length > 0);
  return { ...plan, isNeeded };
}

/** Snapshots that nothing can be restored of any more, and that nobody holds. */
export function hopelessSnapshots({
  snapshots,
  damagedSnapshotFiles,
}: Omit<SnapshotRepairPlan, "isNeeded">): string[] {
  const unreadable = snapshots.filter((found) => found.state === "unreadable" && !found.isHeld);
  return [...unreadable.map(({ id }) => id), ...damagedSnapshotFiles.map(({ name }) => name)];
}

/** The snapshots that are meant, oldest first. A file that cannot be read is of unknown host. */
async function loadWanted({
  repository,
  ids,
  filter = {},
  signal,
}: PlanSnapshotRepairOptions): Promise<{ snapshots: Snapshot[]; damaged: DamagedFile[] }> {
  const { backend } = repository;
  const all: string[] = [];
  for await (const { name } of backend.list("snapshot", { signal })) all.push(name);
  const names = ids === undefined ? all : [...new Set(ids.map((id) => fullId(id, all)))];
  const { hosts = [], tags = [], paths = [] } = filter;
  const isFiltered = ids === undefined && hosts.length + tags.length + paths.length > 0;
  const snapshots: Snapshot[] = [];
  const damaged: DamagedFile[] = [];
  await eachConcurrently(names, backend.connections, async (name) => {
    try {
      const snapshot = await loadSnapshot(repository, name, { signal });
      if (ids !== undefined || matchesFilter(snapshot, filter)) snapshots.push(snapshot);
    } catch (error) {
      // Forgotten meanwhile.
      if (isComebackError(error, "backend.not-found")) return;
      if (!isComebackError(error, "repository.damaged")) throw error;
      if (!isFiltered) damaged.push({ name, why: error.why ?? error.message });
    }
  });
  return { snapshots: snapshots.sort(bySnapshotTime), damaged };
}

function fullId(start: string, names: readonly string[]): string {
  const matches = names.filter((name) => name.startsWith(start));
  const [match] = matches;
  if (match !== undefined && matches.length === 1 && start !== "") return match;
  const next = "list the snapshots with `comeback snapshots`";
  if (match === undefined || start === "") {
    throw new ComebackError("snapshot.not-found", `there is no snapshot ${start}`, { next });
  }
  throw new ComebackError("snapshot.ambiguous", `${start} is the start of several snapshots`, {
    next: "give more digits of the id",
  });
}
