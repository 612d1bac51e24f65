import type { Readable } from "node:stream";
import { GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { ComebackError, fileTooShort } from "@comeback/core";
import type { LoadOptions, RepositoryFile, TransferPace } from "@comeback/core";
import type { SendOptions } from "./http-handler.ts";
import { keyOf } from "./layout.ts";
import type { ObjectStore } from "./object-store.ts";
import { serviceCode, statusOf } from "./s3-errors.ts";

/** Loads exactly the range asked for. */
export async function loadObject(
  store: ObjectStore,
  file: RepositoryFile,
  options: LoadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { offset = 0, length, signal } = options;
  // There is no way to ask for no bytes, but the file has to be there and reach so far.
  if (length === 0) return await loadNothing(store, file, offset, signal);
  const range = rangeOf(offset, length);
  const command = new GetObjectCommand({
    Bucket: store.location.bucket,
    Key: keyOf(store.location.prefix, file),
    ...(range === undefined ? {} : { Range: range }),
    ...store.encryption.read,
  });
  try {
    const answer = await store.client.send(command, sending(signal));
    const body = answer.Body as Readable;
    const got = answer.ContentLength ?? 0;
    if (range !== undefined && answer.$metadata.httpStatusCode !== 206) {
      body.destroy();
      throw rangeIgnored(store);
    }
    if (length !== undefined && got !== length) {
      body.destroy();
      throw fileTooShort(file, offset + length);
    }
    return await readBody(body, got, options);
  } catch (error) {
    if (statusOf(error) !== 416 && serviceCode(error) !== "InvalidRange") throw error;
    if (length !== undefined) throw fileTooShort(file, offset + length);
    return await loadNothing(store, file, offset, signal);
  }
}

export async function headObject(
  store: ObjectStore,
  file: RepositoryFile,
  signal: AbortSignal | undefined,
): Promise<HeadObjectCommandOutput> {
  const command = new HeadObjectCommand({
    Bucket: store.location.bucket,
    Key: keyOf(store.location.prefix, file),
    ...store.encryption.read,
  });
  return await store.client.send(command, sending(signal));
}

/** What a command is sent with: the SDK hands it on to our own way of sending. */
export function sending(signal: AbortSignal | undefined, pace?: TransferPace): SendOptions {
  return {
    ...(signal === undefined ? {} : { abortSignal: signal }),
    ...(pace === undefined ? {} : { pace }),
  };
}

async function loadNothing(
  store: ObjectStore,
  file: RepositoryFile,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const { ContentLength: sizeBytes = 0 } = await headObject(store, file, signal);
  if (offset > sizeBytes) throw fileTooShort(file, offset);
  return new Uint8Array(0);
}

function rangeOf(offset: number, length: number | undefined): string | undefined {
  if (length === undefined) return offset === 0 ? undefined : `bytes=${offset}-`;
  // The sum may be beyond what a number holds exactly; no object reaches there.
  return `bytes=${offset}-${Math.min(offset + length - 1, Number.MAX_SAFE_INTEGER)}`;
}

function rangeIgnored(store: ObjectStore): ComebackError {
  return new ComebackError("backend.misconfigured", "the store answers ranges with whole files", {
    why: `${store.location.host} does not follow the header Range`,
    next: "look for a proxy or cache in between that strips it",
  });
}

/**
 * Reads what was announced: not a byte more, and an error where there is less. By events: to iterate
 * over a stream costs a promise for each of its small chunks.
 */
function readBody(
  body: Readable,
  sizeBytes: number,
  { pace, signal }: LoadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  // Not from the buffer pool, so that it can be transferred; filled completely below.
  const target = Buffer.allocUnsafeSlow(sizeBytes);
  let done = 0;
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  body.on("data", (chunk: Buffer) => {
    if (done + chunk.byteLength > sizeBytes) {
      body.destroy(new Error("the store sent more than it announced"));
      return;
    }
    chunk.copy(target, done);
    done += chunk.byteLength;
    if (pace === undefined) return;
    body.pause();
    pace(chunk.byteLength, signal).then(
      () => body.resume(),
      (error: unknown) => body.destroy(error as Error),
    );
  });
  body.once("error", reject);
  body.once("close", () => {
    // Not a Buffer: its `slice` would share the memory, where a Uint8Array's copies.
    if (done === sizeBytes) resolve(new Uint8Array(target.buffer));
    else reject(new Error(`the answer ended after ${done} of ${sizeBytes} bytes`));
  });
  return promise;
}
