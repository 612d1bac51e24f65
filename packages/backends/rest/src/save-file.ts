import { fileExists, fileLabel, isComebackError, REST_BREAK_OFF_MS } from "@comeback/core";
import type { ErrorCode, RepositoryFile, TransferPace } from "@comeback/core";
import { loadFile } from "./load-file.ts";
import type { RestClient } from "./rest-client.ts";
import { pathOf } from "./rest-paths.ts";
import { removeFile } from "./remove-file.ts";
import { unhurried } from "./stall-guard.ts";
import { findSize } from "./stat-file.ts";

/** After a failed upload nobody waits long to find out what became of it. */
const AFTERMATH = {
  connectMs: REST_BREAK_OFF_MS,
  idleMs: REST_BREAK_OFF_MS,
  callMs: 4 * REST_BREAK_OFF_MS,
} as const;

/** After these the server has nothing of the file. */
const UNTOUCHED: readonly ErrorCode[] = [
  "backend.closed",
  "backend.credentials",
  "backend.full",
  "backend.misconfigured",
  "backend.permission",
  "backend.unknown-host",
];

export interface SaveWish {
  readonly file: RepositoryFile;
  readonly data: Uint8Array;
  readonly signal: AbortSignal | undefined;
  readonly pace?: TransferPace | undefined;
}

/**
 * Uploads a file whose name is free. Resolves only where the server has it whole; where it is left
 * in doubt (the answer was lost, the call was broken off), what the server has is looked at.
 */
export async function saveFile(client: RestClient, wish: SaveWish): Promise<void> {
  const { file, data, signal, pace } = wish;
  const { location, limits } = client.server;
  // rest-server refuses a name that is taken, rclone replaces what is there.
  if ((await findSize(client, file, { signal })) !== undefined) throw fileExists(file, location);
  signal?.throwIfAborted();
  const call = {
    method: "POST",
    path: pathOf(client.server.basePath, file),
    doing: `saving ${fileLabel(file)}`,
    body: data,
    pace,
    // What the user holds back takes as long as it takes.
    ...(pace === undefined ? {} : { limits: unhurried(limits) }),
    signal,
    alsoAccept: [403],
  } as const;
  try {
    const status = await client.call(call, async (exchange) => {
      await exchange.skipBody();
      return exchange.answer.status;
    });
    if (status !== 403) return;
  } catch (error) {
    const isInDoubt = !UNTOUCHED.some((code) => isComebackError(error, code));
    if (isInDoubt && (await isWholeAfterAll(client, wish))) return;
    throw error;
  }
  if ((await findSize(client, file, { signal })) !== undefined) throw fileExists(file, location);
  await client.call({ ...call, alsoAccept: [] }, (exchange) => exchange.skipBody());
}

/** Whether the file came through; a part of it is removed, and what others saved is left alone. */
async function isWholeAfterAll(client: RestClient, wish: SaveWish): Promise<boolean> {
  const { file, data } = wish;
  try {
    const limits = AFTERMATH;
    const sizeBytes = await findSize(client, file, { limits });
    if (sizeBytes === undefined || sizeBytes > data.byteLength) return false;
    const there = await loadFile(client, file, { length: sizeBytes, limits });
    if (Buffer.compare(there, data.subarray(0, sizeBytes)) !== 0) return false;
    if (sizeBytes === data.byteLength) return true;
    await removeFile(client, file, { limits });
  } catch {
    // The first failure is the one to tell.
  }
  return false;
}
