import { createHash, randomBytes } from "node:crypto";
import {
  DeleteObjectCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
} from "@aws-sdk/client-s3";
import { ComebackError, fileLabel, S3_LOCK_PROBE_MS } from "@comeback/core";
import type {
  BackendRetention,
  OperationOptions,
  RepositoryFile,
  RetentionProbe,
} from "@comeback/core";
import { keyOf, withPrefix } from "./layout.ts";
import { headObject, sending } from "./load-object.ts";
import type { ObjectStore } from "./object-store.ts";
import { serviceCode, statusOf } from "./s3-errors.ts";

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

/** What the error of a call means for the person who reads it. */
export type Explain = (
  doing: string,
  action: string,
  error: unknown,
  signal: AbortSignal | undefined,
) => unknown;

export function retentionOf(store: ObjectStore, run: RunCall, explain: Explain): BackendRetention {
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
    probe: async ({ signal } = {}) => {
      try {
        return await probeLock(store, signal);
      } catch (error) {
        throw explain("writing a locked object", "s3:PutObjectRetention", error, signal);
      }
    },
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

/** The version is asked for by its id: without one, a store only hides what it keeps. */
async function probeLock(
  store: ObjectStore,
  signal: AbortSignal | undefined,
): Promise<RetentionProbe> {
  const name = `comeback-lock-probe-${randomBytes(16).toString("hex")}`;
  const object = { Bucket: store.location.bucket, Key: withPrefix(store.location.prefix, name) };
  const until = new Date(store.clock.now() + S3_LOCK_PROBE_MS);
  const put = new PutObjectCommand({
    ...object,
    ...store.encryption.write,
    Body: name,
    ContentMD5: createHash("md5").update(name).digest("base64"),
    ObjectLockMode: store.settings.objectLock?.mode ?? "GOVERNANCE",
    ObjectLockRetainUntilDate: until,
  });
  const { VersionId } = await store.client.send(put, sending(signal));
  if (VersionId === undefined) {
    await store.client.send(new DeleteObjectCommand(object)).catch(() => undefined);
    return { isEnforced: false, answer: "the store keeps no versions in this bucket" };
  }
  try {
    await store.client.send(new DeleteObjectCommand({ ...object, VersionId }), sending(signal));
    return { isEnforced: false, answer: "the store deleted a version that was locked" };
  } catch (error) {
    if (statusOf(error) !== 403) throw error;
    // Out of sight; the lock keeps the few bytes for its minute, and a lifecycle rule may clear them.
    await store.client.send(new DeleteObjectCommand(object)).catch(() => undefined);
    return { isEnforced: true, answer: `${serviceCode(error)}, HTTP 403` };
  }
}
