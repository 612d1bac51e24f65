/** What a repair is doing now; handed over once, its fields move on. */
export interface RepairProgress {
  phase: "index" | "packs" | "trees" | "writing" | "removing" | "done";
  /** Of what the phase goes through: files, packs or trees. */
  done: number;
  total: number;
}

export interface RepairObserver {
  onStart?(progress: Readonly<RepairProgress>): void;
}

export function startProgress(observer: RepairObserver | undefined): RepairProgress {
  const progress: RepairProgress = { phase: "index", done: 0, total: 0 };
  observer?.onStart?.(progress);
  return progress;
}

export function enterPhase(
  progress: RepairProgress,
  phase: RepairProgress["phase"],
  total: number,
): void {
  Object.assign(progress, { phase, done: 0, total });
}
