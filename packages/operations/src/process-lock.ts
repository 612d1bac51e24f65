import { mkdirSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { lockPastHolder } from "@comeback/platform";

export interface ProcessLockOptions {
  /** Is made where it is not there, with its folder, and stays. */
  readonly path: string;
  /** What is thrown where another process holds it; its number, where it is known. */
  busy(holder: number | undefined): Error;
}

/**
 * The right to be the only process at something on this machine: a lock of the kernel's on a file
 * that names its holder. However a process ends, the kernel lets go of it: nobody has to guess from
 * process numbers, which are for people, and to know a lock that outlives its holder by an instant.
 */
export class ProcessLock implements AsyncDisposable {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async take({ path, busy }: ProcessLockOptions): Promise<ProcessLock> {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, "a+", 0o600);
    try {
      const holder = (): Promise<number | undefined> => readHolder(file);
      if (!(await lockPastHolder(file.fd, { holder }))) throw busy(await holder());
      await file.truncate();
      await file.write(`${process.pid}\n`);
      return new ProcessLock(file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/** Who has just taken the lock may not have written its number yet. */
async function readHolder(file: FileHandle): Promise<number | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
  const text = buffer.toString("latin1", 0, bytesRead).trim();
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
