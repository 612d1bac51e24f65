import type { OperationOptions } from "@comeback/core";
import { damaged, isComebackError } from "@comeback/core";
import type { Repository } from "./repository.ts";

/** A lock file's content (restic design, "Locks"). */
export interface LockFile {
  /** When it was taken or last refreshed. */
  readonly time: string;
  readonly exclusive: boolean;
  readonly hostname: string;
  readonly username: string;
  readonly pid: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Ours alone, and restic passes over it. */
  readonly comeback?: {
    /** Where `pid` is a number of. */
    readonly boot_id?: string;
    readonly pid_namespace?: string;
    /** When it was taken: `time` moves on with every refresh. */
    readonly since?: string;
    /** What excludes its own kind although it goes together with everything else. */
    readonly activity?: string;
  };
}

const IF_IT_STAYS =
  "try again, for it may be just being written; if it stays, make sure that nobody works here, and remove it with `comeback unlock --remove-all`";

/** A lock, or `undefined` where it was released between the listing and the reading. */
export async function readLock(
  repository: Repository,
  name: string,
  { signal }: OperationOptions = {},
): Promise<LockFile | undefined> {
  try {
    return decodeLock(await repository.loadUnpacked("lock", name, { signal }), name);
  } catch (error) {
    if (isComebackError(error, "backend.not-found")) return undefined;
    if (!isComebackError(error, "repository.damaged")) throw error;
    throw damaged(`lock ${name.slice(0, 8)}`, error.why ?? error.message, error, IF_IT_STAYS);
  }
}

/** A lock that does not say since when it is held, and by whom, is damaged. */
export function decodeLock(json: Uint8Array, name: string): LockFile {
  const what = `lock ${name.slice(0, 8)}`;
  let lock: Partial<LockFile> | null;
  try {
    lock = JSON.parse(Buffer.from(json).toString("utf8"));
  } catch (cause) {
    throw damaged(what, "it is not JSON", cause);
  }
  const ok =
    typeof lock === "object" &&
    lock !== null &&
    typeof lock.time === "string" &&
    !Number.isNaN(Date.parse(lock.time)) &&
    typeof lock.hostname === "string" &&
    typeof lock.username === "string" &&
    Number.isSafeInteger(lock.pid);
  if (!ok) throw damaged(what, "a field is missing or of the wrong type");
  return lock as LockFile;
}
