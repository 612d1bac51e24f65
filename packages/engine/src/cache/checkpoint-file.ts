import { createHash, randomBytes } from "node:crypto";
import { open, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { ComebackError, messageOf } from "@comeback/core";
import type { Clock } from "@comeback/core";
import type { CheckpointStore } from "../archive/checkpoint.ts";
import { prepareCacheDirectory } from "./cache-directory.ts";

const FOLDER = "checkpoints";

export interface CheckpointFileOptions {
  /** Holds the caches of all repositories; see `defaultCacheDirectory`. */
  readonly directory: string;
  readonly repositoryId: string;
  readonly hostname: string;
  readonly paths: readonly string[];
  readonly clock: Clock;
  /** Told once, where no checkpoint can be written; the backup goes on without. */
  onWarning(error: ComebackError): void;
}

/** Checkpoints of one backup (a host and its paths) as a file in the repository's local cache. */
export function checkpointFile(options: CheckpointFileOptions): CheckpointStore {
  const { directory, repositoryId, hostname, paths, clock } = options;
  const key = createHash("sha256")
    .update(JSON.stringify([hostname, paths]))
    .digest("hex");
  const path = join(directory, repositoryId, FOLDER, key);
  let hasFailed = false;
  return {
    load: () => readFile(path).catch(() => undefined),
    async save(checkpoint) {
      if (hasFailed) return;
      try {
        await prepareCacheDirectory(directory, repositoryId, [FOLDER], clock);
        await replaceFile(path, checkpoint);
      } catch (cause) {
        hasFailed = true;
        options.onWarning(unusable(directory, cause));
      }
    },
    async remove() {
      await unlink(path).catch(() => undefined);
    },
  };
}

/** After a power cut the old content is there, or the new one. */
async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  const temporary = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

function unusable(directory: string, cause: unknown): ComebackError {
  return new ComebackError("cache.unusable", `the cache in ${directory} cannot be written`, {
    why: messageOf(cause),
    next: "set COMEBACK_CACHE_DIR to a folder with free space: an interrupted backup can go on then",
    cause,
  });
}
