import { isComebackError, messageOf, type RepositoryFile } from "@comeback/core";
import { checkRanges, checkRangesBeyondEnd, checkSizes } from "./check-contents.ts";
import {
  checkAbortedSave,
  checkCreateOnly,
  checkNeverInPart,
  checkOneWinner,
} from "./check-creation.ts";
import { type CheckStage, MiB, NAMED_TYPES } from "./check-stage.ts";
import { checkListAfterWrite, checkRemoval } from "./check-visibility.ts";
import { ContractBreach } from "./contract-breach.ts";

/** One promise of the contract, tried on real storage. */
interface ProbeCheck {
  readonly name: string;
  /** What is true where it passes. */
  readonly title: string;
  /** Where this does not hold, backups may be lost or damaged. */
  readonly isVital: boolean;
  /** Adapters say where a store cannot do this, and what they do about it. */
  readonly needsAtomicCreate?: true;
  run(stage: CheckStage): Promise<unknown>;
}

/** `unknown` is never as good as `passed`: something else went wrong, and nothing was proven. */
export type CheckOutcome = "failed" | "passed" | "refused" | "unknown";

export interface ProbeResult {
  readonly name: string;
  readonly title: string;
  readonly isVital: boolean;
  readonly outcome: CheckOutcome;
  readonly detail?: string;
}

const CHECKS: readonly ProbeCheck[] = [
  {
    name: "create-only",
    title: "a name that is taken is refused, and its file kept",
    isVital: true,
    run: (stage) => checkCreateOnly(stage, NAMED_TYPES),
  },
  {
    name: "one-winner",
    title: "of several that create one name at once, one wins",
    isVital: true,
    needsAtomicCreate: true,
    run: (stage) => checkOneWinner(stage, ["pack", "key", "index", "pack", "pack"]),
  },
  {
    name: "sizes",
    title: "files from 0 bytes to 32 MiB come back whole",
    isVital: true,
    run: (stage) => checkSizes(stage, [0, 1, 4096, 4 * MiB + 1, 32 * MiB]),
  },
  {
    name: "never-in-part",
    title: "a file is never seen before it is whole",
    isVital: true,
    run: (stage) => checkNeverInPart(stage, 8 * MiB),
  },
  {
    name: "list-after-write",
    title: "lists show at once what was saved",
    isVital: true,
    run: (stage) => checkListAfterWrite(stage, 4),
  },
  {
    name: "ranges",
    title: "a range is exact, and an error beyond the end",
    isVital: true,
    run: async (stage) => {
      await checkRanges(stage);
      await checkRangesBeyondEnd(stage);
    },
  },
  {
    name: "abort",
    title: "an aborted save leaves nothing behind",
    isVital: true,
    run: async (stage) => {
      for (const turns of [1, 5, 34]) await checkAbortedSave(stage, { turns, sizeBytes: MiB });
    },
  },
  {
    name: "removal",
    title: "removal removes, and may be repeated",
    isVital: false,
    run: (stage) => checkRemoval(stage, NAMED_TYPES),
  },
];

/** Apart from the others: some adapters know by its config that a repository is still the same. */
const CONFIG_CHECKS: readonly ProbeCheck[] = [
  {
    name: "config",
    title: "of several that make a repository at once, one wins",
    isVital: true,
    needsAtomicCreate: true,
    run: (stage) => checkOneWinner(stage, ["config"]),
  },
];

/** Runs every check, whatever the others found; an abort ends all. */
export async function runChecks(
  stage: CheckStage,
  options: { readonly part: "config" | "files"; readonly signal: AbortSignal },
): Promise<ProbeResult[]> {
  const results: ProbeResult[] = [];
  for (const check of options.part === "config" ? CONFIG_CHECKS : CHECKS) {
    options.signal.throwIfAborted();
    const { name, title } = check;
    const outcome = await outcomeOf(check, stage);
    options.signal.throwIfAborted();
    const isExcused = check.needsAtomicCreate === true && stage.backend.isCreateAtomic === false;
    const isVital = check.isVital && !isExcused;
    results.push({ name, title, isVital, ...outcome });
  }
  return results;
}

async function outcomeOf(
  check: ProbeCheck,
  stage: CheckStage,
): Promise<{ readonly outcome: CheckOutcome; readonly detail?: string }> {
  try {
    await check.run(stage);
    return { outcome: "passed" };
  } catch (error) {
    if (error instanceof ContractBreach) return { outcome: "failed", detail: error.message };
    const why = isComebackError(error) && error.why !== undefined ? `: ${error.why}` : "";
    const detail = `${messageOf(error)}${why}`;
    const isRefused =
      isComebackError(error, "backend.permission") || isComebackError(error, "backend.retained");
    return { outcome: isRefused ? "refused" : "unknown", detail };
  }
}

/** Until when a file is to be kept from deletion, to see whether it is; then that it is. */
export async function checkObjectLock(
  { backend, clock, newFile, newData }: CheckStage,
  lockMs: number,
): Promise<RepositoryFile> {
  const { retention } = backend;
  if (retention === undefined) throw new ContractBreach("this storage locks no files");
  const data = newData(100);
  const file = newFile("pack", data);
  await backend.save(file, data);
  const untilMs = clock.now() + lockMs;
  await retention.extend(file, untilMs);
  const told = await retention.lockedUntilMs(file);
  if (told === undefined || told < untilMs - 1000) {
    throw new ContractBreach("a file that was locked is not said to be");
  }
  const removed = await backend.remove(file).catch((error: unknown) => error);
  if (!isComebackError(removed, "backend.retained")) {
    throw new ContractBreach("a file that was locked could be removed, or not for that reason");
  }
  return file;
}
