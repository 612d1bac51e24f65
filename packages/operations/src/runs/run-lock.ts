import { mkdirSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { ComebackError, ExitCode } from "@comeback/core";
import { tryLockFile } from "@comeback/platform";

/**
 * The right to run a plan on this machine: one at a time. It is a lock of the kernel's on a file that
 * stays: however a run ends, the kernel lets go of it, and nobody has to guess from process numbers.
 */
export class RunLock implements AsyncDisposable {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Rejects with `run.busy` where the plan is running. */
  static async take(options: {
    readonly stateFolder: string;
    readonly plan: string;
  }): Promise<RunLock> {
    const folder = join(options.stateFolder, "locks");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = await open(join(folder, `${options.plan}.lock`), "a+", 0o600);
    try {
      if (!tryLockFile(file.fd)) throw await busy(options.plan, file);
      await file.truncate();
      await file.write(`${process.pid}\n`);
      return new RunLock(file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/** The number is for people only: who has just taken the lock may not have written it yet. */
async function busy(plan: string, file: FileHandle): Promise<ComebackError> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
  const holder = buffer.toString("latin1", 0, bytesRead).trim();
  const by = /^\d+$/.test(holder) ? `process ${holder}` : "another process";
  return new ComebackError("run.busy", `${plan} is already running`, {
    why: `${by} runs it on this machine`,
    next: "wait for it; `comeback status` shows when it has ended",
    exitCode: ExitCode.skipped,
  });
}
