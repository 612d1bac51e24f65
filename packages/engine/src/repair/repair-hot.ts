import {
  type Backend,
  ComebackError,
  type FileType,
  HOT_REPAIR_FILES_IN_FLIGHT_MAX,
  type ListedFile,
  messageOf,
  type OperationOptions,
  type RepositoryFile,
} from "@comeback/core";
import { sha256 } from "../crypto/blob-codec.ts";
import { type HotPartState, saveHotConfig } from "../repository/hot-part.ts";
import { eachConcurrently, type Repository } from "../repository/repository.ts";
import { enterPhase, type RepairObserver, startProgress } from "./repair-progress.ts";

/** All of them are in the hot part; locks come and go by themselves. */
const WHOLE_TYPES = ["key", "snapshot", "index"] as const;

export interface RepairHotOptions extends OperationOptions {
  /** On the cold part alone, under an exclusive lock; the index is loaded, marked packs included. */
  readonly repository: Repository;
  readonly hot: Backend;
  readonly observer?: RepairObserver;
}

interface FileToCopy extends RepositoryFile {
  readonly sizeBytes: number;
  /** One of another size lies there under its name. */
  readonly isReplaced: boolean;
}

/** What makes a hot part hold what it should: keys, snapshots, index, packs of trees. */
export interface HotRepairPlan {
  readonly toCopy: readonly FileToCopy[];
  /** What the repository does not have (any more). */
  readonly toRemove: readonly RepositoryFile[];
  readonly config: "missing" | "outdated" | "fits";
  readonly isNeeded: boolean;
}

export interface HotRepairResult {
  readonly filesCopied: number;
  readonly filesRemoved: number;
  readonly failures: readonly { readonly file: RepositoryFile; readonly why: string }[];
}

export async function planHotRepair(
  options: RepairHotOptions & { readonly state: Extract<HotPartState, HotRepairPlan["config"]> },
): Promise<HotRepairPlan> {
  const { repository, state } = options;
  const treePacks = treePacksOf(repository);
  const toCopy: FileToCopy[] = [];
  const toRemove: RepositoryFile[] = [];
  for (const type of [...WHOLE_TYPES, "pack"] as const) {
    const there = await filesOf(options.hot, type, options);
    const all = await filesOf(repository.backend, type, options);
    for (const [name, sizeBytes] of all) {
      const hasCopy = there.get(name);
      if (hasCopy === sizeBytes || (type === "pack" && !treePacks.has(name))) continue;
      toCopy.push({ type, name, sizeBytes, isReplaced: hasCopy !== undefined });
    }
    for (const name of there.keys()) if (!all.has(name)) toRemove.push({ type, name });
  }
  const [stranger] = toRemove;
  // Without a config nothing says that these were ever ours.
  if (state === "missing" && stranger !== undefined) throw notOurs(options.hot, stranger);
  const isNeeded = state !== "fits" || toCopy.length + toRemove.length > 0;
  return { toCopy, toRemove, config: state, isNeeded };
}

function notOurs({ location }: Backend, { type, name }: RepositoryFile): ComebackError {
  return new ComebackError("repository.no-config", `${location} holds something else`, {
    why: `it has no config, and the repository does not have its ${type} ${name.slice(0, 10)}`,
    next: "choose another place for the hot part, or empty this one if nothing there is needed",
  });
}

function treePacksOf({ index }: Repository): Set<string> {
  const { table, packIds } = index;
  const packs = new Set<string>();
  for (let entry = 0; entry < table.count; entry++) {
    if (table.typeOf(entry) === "tree") packs.add(packIds[table.packOf(entry)] ?? "");
  }
  return packs;
}

async function filesOf(
  backend: Backend,
  type: FileType,
  { signal }: OperationOptions,
): Promise<Map<string, number>> {
  const files = new Map<string, number>();
  const add = ({ name, sizeBytes }: ListedFile): unknown => files.set(name, sizeBytes);
  for await (const file of backend.list(type, { signal })) add(file);
  return files;
}

/** Copies first and the config last: a hot part with a config has what there was to copy. */
export async function repairHot(
  options: RepairHotOptions & { readonly plan: HotRepairPlan },
): Promise<HotRepairResult> {
  const { repository, hot, plan, observer, signal } = options;
  const progress = startProgress(observer);
  const failures: { file: RepositoryFile; why: string }[] = [];
  enterPhase(progress, "writing", plan.toCopy.length);
  await eachConcurrently(plan.toCopy, HOT_REPAIR_FILES_IN_FLIGHT_MAX, async (file) => {
    try {
      await copyFile(options, file);
    } catch (error) {
      signal?.throwIfAborted();
      failures.push({ file, why: messageOf(error) });
    }
    progress.done++;
  });
  enterPhase(progress, "removing", plan.toRemove.length);
  for (const file of plan.toRemove) {
    await hot.remove(file, { signal });
    progress.done++;
  }
  if (plan.config === "outdated") await hot.remove({ type: "config", name: "" }, { signal });
  if (plan.config !== "fits") await saveHotConfig(repository, hot, { signal });
  progress.phase = "done";
  return {
    filesCopied: plan.toCopy.length - failures.length,
    filesRemoved: plan.toRemove.length,
    failures,
  };
}

async function copyFile(
  { repository, hot, signal }: RepairHotOptions,
  { type, name, isReplaced }: FileToCopy,
): Promise<void> {
  const data = await repository.backend.load({ type, name }, { signal });
  if (sha256(data).toString("hex") !== name) throw new Error("its content does not match its name");
  if (isReplaced) await hot.remove({ type, name }, { signal });
  const packContent = type === "pack" ? "tree" : undefined;
  await hot.save({ type, name }, data, { packContent, signal });
}
