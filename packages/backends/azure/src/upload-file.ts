import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { BlockBlobClient, BlockBlobUploadOptions } from "@azure/storage-blob";
import {
  AZURE_BLOCK_BYTES,
  AZURE_SINGLE_UPLOAD_MAX_BYTES,
  AZURE_UPLOAD_SLICE_BYTES,
  PACE_SLICE_MAX_BYTES,
} from "@comeback/core";
import type { TransferPace } from "@comeback/core";
import type { AccessTier } from "./azure-settings.ts";
import { LateAbort } from "./late-abort.ts";

export interface Upload {
  readonly client: BlockBlobClient;
  readonly data: Uint8Array;
  readonly tier: AccessTier | undefined;
  readonly signal: AbortSignal | undefined;
  readonly pace: TransferPace | undefined;
  /** Larger files go in blocks; tests choose other bounds. */
  readonly singleMaxBytes?: number;
  readonly blockBytes?: number;
  readonly abortAnswerMaxMs?: number;
}

/** What the SDK hands on for a whole blob as it does for a block, but does not have in its type. */
type CheckedUploadOptions = BlockBlobUploadOptions & {
  readonly transactionalContentMD5: Uint8Array;
};

/** The service refuses a name that is taken. */
const CREATE_ONLY = { ifNoneMatch: "*" } as const;

/**
 * Makes a blob, all of it or none. Its MD5 is checked by the service when it comes, and kept for
 * those who load it.
 */
export async function uploadFile(upload: Upload): Promise<void> {
  const { data, signal, singleMaxBytes = AZURE_SINGLE_UPLOAD_MAX_BYTES } = upload;
  signal?.throwIfAborted();
  if (data.byteLength <= singleMaxBytes) await uploadAtOnce(upload);
  else await uploadBlocks(upload);
}

/**
 * Once the last bytes are on their way, the blob may come to be whatever happens here: from then on
 * an abort waits for the answer, so that an aborted save leaves no blob behind. Only a service that
 * does not answer is not waited for longer than `AZURE_ABORT_ANSWER_MAX_MS`.
 */
async function uploadAtOnce(upload: Upload): Promise<void> {
  const { client, data, tier, signal, pace } = upload;
  using abort = new LateAbort(signal, upload.abortAnswerMaxMs);
  const contentMd5 = md5Of(data);
  const options: CheckedUploadOptions = {
    abortSignal: abort.signal,
    conditions: CREATE_ONLY,
    blobHTTPHeaders: { blobContentMD5: contentMd5, blobContentType: "application/octet-stream" },
    transactionalContentMD5: contentMd5,
    ...(tier === undefined ? {} : { tier }),
  };
  await client.upload(() => bodyOf(data, pace, abort), data.byteLength, options);
}

/** Blocks are nothing to be seen until the list of them is committed. */
async function uploadBlocks(upload: Upload): Promise<void> {
  const { client, data, tier, signal, pace, blockBytes = AZURE_BLOCK_BYTES } = upload;
  const whole = createHash("md5");
  const ids: string[] = [];
  for (let at = 0; at < data.byteLength; at += blockBytes) {
    signal?.throwIfAborted();
    const block = data.subarray(at, at + blockBytes);
    whole.update(block);
    const blockMd5 = md5Of(block);
    // Named by their contents: of two who save under one name, neither gets blocks of the other.
    const number = Buffer.alloc(4);
    number.writeUInt32BE(ids.length);
    const id = Buffer.concat([number, blockMd5]).toString("base64");
    using abort = new LateAbort(signal);
    // However much of a block is there: an abort ends it at once.
    const body = { signal: abort.signal, commit: (): void => {} };
    await client.stageBlock(id, () => bodyOf(block, pace, body), block.byteLength, {
      abortSignal: abort.signal,
      transactionalContentMD5: blockMd5,
    });
    ids.push(id);
  }
  signal?.throwIfAborted();
  using abort = new LateAbort(signal, upload.abortAnswerMaxMs);
  abort.commit();
  await client.commitBlockList(ids, {
    abortSignal: abort.signal,
    conditions: CREATE_ONLY,
    blobHTTPHeaders: {
      blobContentMD5: whole.digest(),
      blobContentType: "application/octet-stream",
    },
    ...(tier === undefined ? {} : { tier }),
  });
}

/** A body in parts, each when it may go. The call is committed before the last of them goes. */
function bodyOf(
  data: Uint8Array,
  pace: TransferPace | undefined,
  abort: { readonly signal: AbortSignal; commit(): void },
): Readable {
  async function* slices(): AsyncGenerator<Buffer> {
    const { byteLength } = data;
    const sliceBytes = pace === undefined ? AZURE_UPLOAD_SLICE_BYTES : PACE_SLICE_MAX_BYTES;
    for (let at = 0; at < byteLength; at += sliceBytes) {
      const end = Math.min(at + sliceBytes, byteLength);
      await pace?.(end - at, abort.signal);
      if (end === byteLength) abort.commit();
      yield asBuffer(data.subarray(at, end));
    }
    abort.commit();
  }
  return Readable.from(slices(), { objectMode: false });
}

function asBuffer(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function md5Of(data: Uint8Array): Buffer {
  return createHash("md5").update(data).digest();
}
