import { PutObjectRetentionCommand } from "@aws-sdk/client-s3";
import { ComebackError, fileLabel } from "@comeback/core";
import type { BackendRetention, OperationOptions, RepositoryFile } from "@comeback/core";
import { keyOf } from "./layout.ts";
import { headObject, sending } from "./load-object.ts";
import type { ObjectStore } from "./object-store.ts";

const DAY_MS = 24 * 3_600_000;

interface Lock {
  readonly ObjectLockMode: "GOVERNANCE" | "COMPLIANCE";
  readonly ObjectLockRetainUntilDate: Date;
}

/** Locks of the repository are not locked: whoever takes one has to give it back. */
export function lockFor(store: ObjectStore, file: RepositoryFile): Partial<Lock> {
  const { objectLock } = store.settings;
  if (objectLock === undefined || file.type === "lock") return {};
  const until = store.clock.now() + objectLock.days * DAY_MS;
  return { ObjectLockMode: objectLock.mode, ObjectLockRetainUntilDate: new Date(until) };
}

/** What a call of `retention` is surrounded with by the backend: bad names, closing, errors. */
export type RunCall = <T>(
  file: RepositoryFile,
  doing: string,
  action: string,
  options: OperationOptions,
  perform: () => Promise<T>,
) => Promise<T>;

export function retentionOf(store: ObjectStore, run: RunCall): BackendRetention {
  return {
    lockedUntilMs: (file, options = {}) =>
      run(file, "looking up the retention of", "s3:GetObjectRetention", options, async () => {
        const { ObjectLockRetainUntilDate: until } = await headObject(store, file, options.signal);
        const untilMs = until?.getTime() ?? 0;
        return untilMs > store.clock.now() ? untilMs : undefined;
      }),
    extend: (file, untilMs, options = {}) =>
      run(file, "extending the retention of", "s3:PutObjectRetention", options, () =>
        extend(store, file, untilMs, options.signal),
      ),
  };
}

async function extend(
  store: ObjectStore,
  file: RepositoryFile,
  untilMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const now = await headObject(store, file, signal);
  if ((now.ObjectLockRetainUntilDate?.getTime() ?? 0) >= untilMs) return;
  // A lock in the stricter mode cannot be made a weaker one, and nobody would want it.
  const mode = now.ObjectLockMode === "COMPLIANCE" ? "COMPLIANCE" : store.settings.objectLock?.mode;
  const command = new PutObjectRetentionCommand({
    Bucket: store.location.bucket,
    Key: keyOf(store.location.prefix, file),
    ...(now.VersionId === undefined ? {} : { VersionId: now.VersionId }),
    Retention: { Mode: mode ?? "GOVERNANCE", RetainUntilDate: new Date(untilMs) },
  });
  await store.client.send(command, sending(signal));
}

/** What `remove` rejects with before a file's time has come. */
export function retained(store: ObjectStore, file: RepositoryFile, untilMs: number): ComebackError {
  const until = new Date(untilMs).toISOString().slice(0, 16).replace("T", " ");
  return new ComebackError("backend.retained", `${fileLabel(file)} is locked until ${until} UTC`, {
    why: `nobody can delete it before, at ${store.location.shown}`,
    next: "repeat the command after that time; what is locked stays whole until then",
    context: { type: file.type, name: file.name, lockedUntilMs: untilMs },
  });
}
