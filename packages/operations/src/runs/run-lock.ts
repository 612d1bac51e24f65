import { mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { ComebackError, ExitCode } from "@comeback/core";
import { isProcessGone, ownProcessPlace } from "@comeback/platform";

interface Holder {
  readonly pid: number;
  readonly bootId: string | undefined;
  readonly pidNamespace: string | undefined;
}

/** A lock is taken anew at most so often: each time, another process was faster. */
const TAKE_ROUNDS_MAX = 3;

/**
 * The right to run a plan on this machine: one at a time. A lock whose process has gone, or that is
 * from before a reboot, counts for nothing.
 */
export class RunLock implements AsyncDisposable {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  static async take(options: {
    readonly stateFolder: string;
    readonly plan: string;
  }): Promise<RunLock> {
    const folder = join(options.stateFolder, "locks");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, `${options.plan}.lock`);
    for (let round = 0; round < TAKE_ROUNDS_MAX; round++) {
      if (await create(path)) return new RunLock(path);
      const holder = await readHolder(path);
      if (holder === undefined) continue;
      if (!isGone(holder)) throw busy(options.plan, holder);
      await rm(path, { force: true });
    }
    throw busy(options.plan, undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#path, { force: true });
  }
}

async function create(path: string): Promise<boolean> {
  const place = ownProcessPlace();
  const holder: Holder = {
    pid: process.pid,
    bootId: place?.bootId,
    pidNamespace: place?.pidNamespace,
  };
  try {
    await using file = await open(path, "wx", 0o600);
    await file.writeFile(JSON.stringify(holder));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** `undefined` where it is gone meanwhile. One that cannot be understood is nobody's. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Holder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return { pid: Number.NaN, bootId: "", pidNamespace: undefined };
  }
}

function isGone({ pid, bootId, pidNamespace }: Holder): boolean {
  const place = ownProcessPlace();
  if (bootId !== place?.bootId) return true;
  // In another container, the number says nothing here.
  return pidNamespace === place?.pidNamespace && isProcessGone(pid);
}

function busy(plan: string, holder: Holder | undefined): ComebackError {
  const by = holder === undefined ? "another process" : `process ${holder.pid}`;
  return new ComebackError("run.busy", `${plan} is already running`, {
    why: `${by} runs it on this machine`,
    next: "wait for it, or look at it with `comeback logs latest -f`",
    exitCode: ExitCode.skipped,
  });
}
