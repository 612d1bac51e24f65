import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { BlobClient, BlobDownloadOptions } from "@azure/storage-blob";
import {
  AZURE_RANGE_CHECKSUM_MAX_BYTES,
  ComebackError,
  fileLabel,
  fileTooShort,
} from "@comeback/core";
import type { LoadOptions, RepositoryFile } from "@comeback/core";
import { failureCode } from "./azure-errors.ts";

/** Reads exactly the range asked for, and checks it against the service's MD5 where it has one. */
export async function downloadFile(
  client: BlobClient,
  file: RepositoryFile,
  options: LoadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { offset = 0, length, signal } = options;
  const end = offset + (length ?? 0);
  // The service has no words for a range of nothing, one that begins at the end, or one beyond
  // all numbers: the size answers these.
  const isSpecial = length === 0 || !Number.isSafeInteger(end);
  if (isSpecial || (length === undefined && offset > 0)) {
    const sizeBytes = await sizeOf(client, signal);
    if (offset > sizeBytes || end > sizeBytes) throw fileTooShort(file, Math.max(offset, end));
    if (length === 0 || offset === sizeBytes) return new Uint8Array(0);
  }
  return await fetchRange(client, file, options);
}

async function fetchRange(
  client: BlobClient,
  file: RepositoryFile,
  options: LoadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { offset = 0, length, signal } = options;
  const isRange = offset > 0 || length !== undefined;
  const request: BlobDownloadOptions = {
    maxRetryRequests: 0,
    ...(signal === undefined ? {} : { abortSignal: signal }),
    ...(isRange && length !== undefined && length <= AZURE_RANGE_CHECKSUM_MAX_BYTES
      ? { rangeGetContentMD5: true }
      : {}),
  };
  const answer = await client.download(offset, length, request).catch((error: unknown) => {
    if (failureCode(error) !== "InvalidRange") throw error;
    throw fileTooShort(file, offset + (length ?? 0));
  });
  const stream = answer.readableStreamBody;
  const sizeBytes = answer.contentLength ?? 0;
  if (!(stream instanceof Readable)) throw interrupted(file, "the answer has no body");
  try {
    const expected = { sizeBytes, contentMd5: answer.contentMD5 };
    assertAnnounced(file, options, sizeBytes);
    if (offset > 0 && answer.contentRange?.startsWith(`bytes ${offset}-`) !== true) {
      throw interrupted(file, `bytes from ${offset} on were asked for, and others announced`);
    }
    return await readWhole(file, stream, expected, options);
  } finally {
    // Left alone, the connection would wait for someone to read on.
    stream.destroy();
  }
}

function assertAnnounced(file: RepositoryFile, options: LoadOptions, sizeBytes: number): void {
  const { offset = 0, length } = options;
  if (length !== undefined && sizeBytes < length) throw fileTooShort(file, offset + length);
  if (length !== undefined && sizeBytes > length) {
    throw interrupted(file, `${length} bytes were asked for, and ${sizeBytes} announced`);
  }
}

interface Announced {
  readonly sizeBytes: number;
  /** Without a range it is the whole blob's, else that of the range. */
  readonly contentMd5: Uint8Array | undefined;
}

async function readWhole(
  file: RepositoryFile,
  stream: Readable,
  { sizeBytes, contentMd5 }: Announced,
  { pace, signal }: LoadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  // Not from the buffer pool, so that it can be transferred; filled completely below.
  const target = Buffer.allocUnsafeSlow(sizeBytes);
  const hash = createHash("md5");
  let done = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (done + chunk.byteLength > sizeBytes) throw interrupted(file, "more came than announced");
    target.set(chunk, done);
    hash.update(chunk);
    done += chunk.byteLength;
    await pace?.(chunk.byteLength, signal);
  }
  if (done < sizeBytes) throw interrupted(file, `only ${done} of ${sizeBytes} bytes came`);
  if (contentMd5 !== undefined && !hash.digest().equals(contentMd5)) {
    throw interrupted(file, "what came does not have the MD5 that the service keeps for it");
  }
  // Not a Buffer: its `slice` would share the memory, where a Uint8Array's copies.
  return new Uint8Array(target.buffer);
}

export async function sizeOf(client: BlobClient, signal: AbortSignal | undefined): Promise<number> {
  const options = signal === undefined ? {} : { abortSignal: signal };
  return (await client.getProperties(options)).contentLength ?? 0;
}

function interrupted(file: RepositoryFile, why: string): ComebackError {
  return new ComebackError("backend.io", `${fileLabel(file)} did not come as it is stored`, {
    why,
    next: "repeat the command; if it stays so, run `comeback check --read-data`",
    retryable: true,
    context: { type: file.type, name: file.name },
  });
}
