import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { CHECK_MEMORY_MAX_BYTES, ComebackError, messageOf } from "@comeback/core";
import { CheckMemory } from "./check-memory.ts";

/** Where a check's memory is, on this machine: beside no repository, and not in the cache, which is emptied. */
export function checkMemoryPath(
  repositoryId: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const shared = environment["XDG_STATE_HOME"];
  // The XDG specification: a path that is not absolute is to be ignored.
  const base = shared?.startsWith("/") === true ? shared : join(homedir(), ".local/state");
  return join(base, "comeback/check", `${repositoryId}.json`);
}

/** What was remembered. What is not readable is as if it were not there, with a warning. */
export async function loadCheckMemory(
  path: string,
  repositoryId: string,
  onWarning: (error: ComebackError) => void,
): Promise<CheckMemory> {
  try {
    const { size } = await stat(path);
    if (size > CHECK_MEMORY_MAX_BYTES) throw new Error("it is far too large");
    return CheckMemory.decode(await readFile(path, "utf8"), repositoryId);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") {
      onWarning(unusable(`the check's memory in ${path} cannot be read`, cause));
    }
    return new CheckMemory(repositoryId);
  }
}

/** Replaces what was remembered: after a crash the old one is there, or the new one. Never fails. */
export async function saveCheckMemory(
  path: string,
  memory: CheckMemory,
  onWarning: (error: ComebackError) => void,
): Promise<void> {
  const temporary = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    try {
      await using file = await open(temporary, "wx", 0o600);
      await file.writeFile(memory.encode());
      await file.sync();
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
    await rename(temporary, path);
  } catch (cause) {
    onWarning(unusable(`the check's memory in ${path} cannot be written`, cause));
  }
}

function unusable(what: string, cause: unknown): ComebackError {
  return new ComebackError("cache.unusable", what, {
    why: messageOf(cause),
    next: "everything counts as not read yet; set XDG_STATE_HOME to a folder that can be written",
    cause,
  });
}
