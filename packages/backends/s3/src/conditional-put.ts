import { randomBytes } from "node:crypto";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import type { RepositoryFile } from "@comeback/core";
import { keyOf, withPrefix } from "./layout.ts";
import { sending } from "./load-object.ts";
import type { ConditionalPut, ObjectStore } from "./object-store.ts";
import { statusOf } from "./s3-errors.ts";

/*
 * Whether a PUT with `If-None-Match: *` is refused where the name is taken. Some stores ignore the
 * header, and then the second of two writers silently wins. Only a try can tell.
 */

/** Tries it on an object that is made for it, and removed again. */
export async function proveWithProbe(
  store: ObjectStore,
  signal: AbortSignal | undefined,
): Promise<void> {
  const name = `comeback-probe-${randomBytes(16).toString("hex")}`;
  const object = { Bucket: store.location.bucket, Key: withPrefix(store.location.prefix, name) };
  const put = { ...object, Body: name, ...store.encryption.write };
  await store.client.send(new PutObjectCommand(put), sending(signal));
  try {
    store.conditionalPut = await tryToPutAgain(store, put, signal);
  } catch {
    // Any other refusal of the header is a store that does not know it.
    store.conditionalPut = "ignored";
  } finally {
    // Who may write and never delete leaves it there; nobody looks at such a name.
    await store.client.send(new DeleteObjectCommand(object)).catch(() => undefined);
  }
}

/**
 * Tries it on a lock that was just stored, by storing it once more: where the condition is ignored,
 * the same bytes stand under the same name as before. It goes on by itself. Saves wait for its end,
 * which comes sooner than the answers to whether their names are free; the lock's removal does
 * too, for a repetition that came after it would bring the lock back. So would one that made a
 * second version of it, where `object-lock` has versions removed one by one: there it is not tried.
 */
export function proveWithLock(store: ObjectStore, file: RepositoryFile, data: Uint8Array): void {
  const isWanted = store.conditionalPut === "unknown" && store.settings.objectLock === undefined;
  if (!isWanted) return;
  const put = {
    Bucket: store.location.bucket,
    Key: keyOf(store.location.prefix, file),
    ContentType: "application/octet-stream",
    // A copy, for the caller's own is the caller's again.
    Body: Uint8Array.from(data),
    ...store.encryption.write,
  };
  store.proving = tryToPutAgain(store, put, undefined).then(
    (found) => {
      // A save that was under way already may have been told.
      if (store.conditionalPut === "unknown") store.conditionalPut = found;
    },
    // Nothing is known then, and the next lock is another try.
    () => undefined,
  );
}

async function tryToPutAgain(
  store: ObjectStore,
  put: PutObjectCommandInput,
  signal: AbortSignal | undefined,
): Promise<ConditionalPut> {
  try {
    const again = new PutObjectCommand({ ...put, IfNoneMatch: "*" });
    await store.client.send(again, sending(signal));
    return "ignored";
  } catch (error) {
    if (statusOf(error) === 412) return "refused";
    throw error;
  }
}
