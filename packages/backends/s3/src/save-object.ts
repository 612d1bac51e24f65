import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { CompletedPart, PutObjectCommandInput } from "@aws-sdk/client-s3";
import { fileExists } from "@comeback/core";
import type { RepositoryFile, SaveOptions } from "@comeback/core";
import { proveWithLock } from "./conditional-put.ts";
import { keyOf } from "./layout.ts";
import { headObject, loadObject, sending } from "./load-object.ts";
import type { ObjectStore } from "./object-store.ts";
import { lockFor } from "./retention.ts";
import { isMissing, serviceCode, statusOf } from "./s3-errors.ts";
import { storageClassFor } from "./storage-class.ts";
import { untilAborted } from "./until-aborted.ts";

export interface SaveRequest {
  readonly file: RepositoryFile;
  readonly data: Uint8Array;
  readonly options: SaveOptions;
}

/**
 * Saves onto a free name only. Every PUT carries `If-None-Match: *`. Until a store is known to
 * follow it, which the first lock is used to find out, it is asked first whether the name is free:
 * of two writers at the same time both may then come through. For names made of the content both wrote the same; for the config, whoever
 * finds another's bytes in the end has lost.
 */
export async function saveObject(store: ObjectStore, request: SaveRequest): Promise<void> {
  const { file, data, options } = request;
  const { signal } = options;
  if (store.proving !== undefined) await untilAborted(store.proving, signal);
  const isSafe = store.conditionalPut === "refused";
  if (!isSafe && (await isThere(store, file, signal))) throw exists(store, file);
  try {
    if (data.byteLength > store.singlePutMaxBytes) await putInParts(store, request);
    else await putWhole(store, request);
  } catch (error) {
    if (statusOf(error) === 412) {
      store.conditionalPut = "refused";
      throw exists(store, file, error);
    }
    // Two conditional PUTs at once: where the other came through, the name is taken.
    if (serviceCode(error) === "ConditionalRequestConflict") {
      if (await isThere(store, file, signal)) throw exists(store, file, error);
    }
    throw error;
  }
  if (file.type === "lock") proveWithLock(store, file, data);
  if (file.type === "config" && store.conditionalPut !== "refused") {
    const stored = await loadObject(store, file, { signal });
    if (Buffer.compare(stored, data) !== 0) throw exists(store, file);
  }
}

function exists(store: ObjectStore, file: RepositoryFile, cause?: unknown): Error {
  return fileExists(file, store.location.shown, cause === undefined ? undefined : bare(cause));
}

/** The SDK's errors carry the whole request, signature included. */
function bare(error: unknown): Error {
  return new Error(`${serviceCode(error)}, HTTP ${statusOf(error)}`);
}

async function isThere(
  store: ObjectStore,
  file: RepositoryFile,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    await headObject(store, file, signal);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** What an object is stored with, in one piece or in parts. */
function attributesOf(
  store: ObjectStore,
  { file, options }: SaveRequest,
): Omit<PutObjectCommandInput, "Body"> {
  const storageClass = storageClassFor(store.settings, file, options);
  return {
    Bucket: store.location.bucket,
    Key: keyOf(store.location.prefix, file),
    ContentType: "application/octet-stream",
    ...store.encryption.write,
    ...lockFor(store, file),
    ...(storageClass === undefined
      ? {}
      : { StorageClass: storageClass as NonNullable<PutObjectCommandInput["StorageClass"]> }),
  };
}

/** A store that answers that it does not know the condition is asked without it from then on. */
async function conditionally<T>(
  store: ObjectStore,
  send: (condition: { IfNoneMatch?: "*" }) => Promise<T>,
): Promise<T> {
  if (store.conditionalPut === "ignored") return await send({});
  try {
    return await send({ IfNoneMatch: "*" });
  } catch (error) {
    if (serviceCode(error) !== "NotImplemented" && statusOf(error) !== 501) throw error;
    store.conditionalPut = "ignored";
    return await send({});
  }
}

async function putWhole(store: ObjectStore, request: SaveRequest): Promise<void> {
  const { data, options } = request;
  const attributes = attributesOf(store, request);
  await conditionally(store, (condition) => {
    const command = new PutObjectCommand({
      ...attributes,
      ...condition,
      Body: data,
      ...checksumFor(store, data),
    });
    return store.client.send(command, sending(options.signal, options.pace));
  });
}

/** The signature has a SHA-256 in it already; with a lock the store insists on this header too. */
function checksumFor(store: ObjectStore, data: Uint8Array): { ContentMD5?: string } {
  if (store.settings.objectLock === undefined) return {};
  return { ContentMD5: createHash("md5").update(data).digest("base64") };
}

async function putInParts(store: ObjectStore, request: SaveRequest): Promise<void> {
  const { data, options } = request;
  const { signal } = options;
  const attributes = attributesOf(store, request);
  const { Bucket, Key } = attributes;
  const created = await store.client.send(
    new CreateMultipartUploadCommand(attributes),
    sending(signal),
  );
  const upload = { Bucket, Key, UploadId: created.UploadId };
  try {
    const parts: CompletedPart[] = [];
    for (let begin = 0; begin < data.byteLength; begin += store.partBytes) {
      const part = data.subarray(begin, begin + store.partBytes);
      const PartNumber = parts.length + 1;
      const command = new UploadPartCommand({
        ...upload,
        PartNumber,
        Body: part,
        ...store.encryption.read,
        ...checksumFor(store, part),
      });
      const { ETag } = await store.client.send(command, sending(signal, options.pace));
      parts.push({ PartNumber, ETag });
    }
    await conditionally(store, (condition) => {
      const complete = { ...upload, ...condition, ...store.encryption.read };
      const command = new CompleteMultipartUploadCommand({
        ...complete,
        MultipartUpload: { Parts: parts },
      });
      return store.client.send(command, sending(signal));
    });
  } catch (error) {
    // Parts that nobody completes are paid for and never listed. The reason for the failure matters
    // more than whether this succeeds; the bucket's own rule for such uploads gets what is left.
    await store.client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}
