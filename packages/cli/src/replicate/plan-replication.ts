import { REMOVING_ORDER, SENDING_ORDER, typeOfPath } from "./replicated-file.ts";
import type { ReplicatedFile, ReplicatedType } from "./replicated-file.ts";

/** One step: files of one type that are sent, or removed, together. */
export interface ReplicationStage {
  readonly action: "send" | "remove";
  readonly type: ReplicatedType;
  readonly files: readonly ReplicatedFile[];
}

export interface ReplicationPlan {
  /** In the order in which they have to be carried out. */
  readonly stages: readonly ReplicationStage[];
  /** There already, with the right size. */
  readonly present: readonly ReplicatedFile[];
  /** There with another size than in the source; never overwritten. */
  readonly differing: readonly ReplicatedFile[];
  /** Files that only the target has. They are removed by stages where that was wished for. */
  readonly surplus: number;
}

/** Sizes by path. */
export type Listing = ReadonlyMap<string, number>;

export function planReplication(options: {
  readonly source: Listing;
  readonly target: Listing;
  readonly removes: boolean;
}): ReplicationPlan {
  const { source, target, removes } = options;
  const missing = new Map<ReplicatedType, ReplicatedFile[]>();
  const surplus = new Map<ReplicatedType, ReplicatedFile[]>();
  const present: ReplicatedFile[] = [];
  const differing: ReplicatedFile[] = [];
  for (const [path, sizeBytes] of source) {
    const there = target.get(path);
    if (there === undefined) addTo(missing, { path, sizeBytes });
    else (there === sizeBytes ? present : differing).push({ path, sizeBytes });
  }
  for (const [path, sizeBytes] of target) {
    if (!source.has(path)) addTo(surplus, { path, sizeBytes });
  }
  const stages = SENDING_ORDER.map((type) => stage("send", type, missing));
  if (removes) stages.push(...REMOVING_ORDER.map((type) => stage("remove", type, surplus)));
  return {
    stages: stages.filter(({ files }) => files.length > 0),
    present,
    differing,
    surplus: [...surplus.values()].reduce((sum, files) => sum + files.length, 0),
  };
}

function addTo(files: Map<ReplicatedType, ReplicatedFile[]>, file: ReplicatedFile): void {
  const type = typeOfPath(file.path);
  if (type === undefined) return;
  const list = files.get(type);
  if (list === undefined) files.set(type, [file]);
  else list.push(file);
}

function stage(
  action: "send" | "remove",
  type: ReplicatedType,
  files: ReadonlyMap<ReplicatedType, readonly ReplicatedFile[]>,
): ReplicationStage {
  return { action, type, files: files.get(type) ?? [] };
}
