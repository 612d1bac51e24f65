import {
  CHECK_BYTES_IN_FLIGHT_MAX,
  isComebackError,
  type ListedFile,
  type OperationOptions,
  PACK_HEADER_MAX_BYTES,
  type RepositoryFile,
} from "@comeback/core";
import { whyUnusable } from "../check/problem-log.ts";
import { sha256 } from "../crypto/blob-codec.ts";
import type { PackedBlob } from "../pack/header.ts";
import type { Repository } from "../repository/repository.ts";
import { readPackHeader } from "./read-pack-header.ts";

/** A pack with all that could be read of it. */
export interface ExaminedPack {
  /** Where nothing could be read, zeros. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly intact: readonly PackedBlob[];
  readonly lost: readonly PackedBlob[];
  /** What does not hold of the pack as a whole; nothing where it is as it was written. */
  readonly problems: readonly string[];
}

/**
 * Opens every blob that the index or the pack's own header says is in it. One reading that fails
 * does not hide the rest: what is readable around a bad sector is read in parts.
 */
export async function examinePack(
  repository: Repository,
  file: ListedFile,
  indexed: readonly PackedBlob[],
  options: OperationOptions,
): Promise<ExaminedPack> {
  const problems: string[] = [];
  const places = new Map(indexed.map((blob) => [placeKey(blob), blob]));
  try {
    for (const blob of await readPackHeader(repository, file, options)) {
      const key = placeKey(blob);
      if (indexed.length > 0 && !places.has(key)) problems.push("the index lists it otherwise");
      places.set(key, blob);
    }
  } catch (error) {
    problems.push(await whyUnusable(error, repository.backend, options));
  }
  const blobs = [...places.values()].sort((a, b) => a.offset - b.offset);
  const data = await loadWhatThereIs(repository, file, blobs, options);
  if (sha256(data).toString("hex") !== file.name) {
    problems.push("its content does not match its name");
  }
  const intact: PackedBlob[] = [];
  const lost: PackedBlob[] = [];
  for (const blob of blobs) (holds(repository, data, blob) ? intact : lost).push(blob);
  return { data, intact, lost, problems: [...new Set(problems)] };
}

function placeKey({ type, id, offset, length, uncompressedLength }: PackedBlob): string {
  return `${type} ${id} ${offset} ${length} ${uncompressedLength}`;
}

function holds({ codec }: Repository, data: Uint8Array, blob: PackedBlob): boolean {
  const end = blob.offset + blob.length;
  if (end > data.length) return false;
  const box = data.subarray(blob.offset, end);
  return codec.open(Buffer.from(blob.id, "hex"), box, blob.uncompressedLength) !== undefined;
}

async function loadWhatThereIs(
  repository: Repository,
  { name, sizeBytes }: ListedFile,
  blobs: readonly PackedBlob[],
  options: OperationOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { backend } = repository;
  const file: RepositoryFile = { type: "pack", name };
  const endBytes = blobs.reduce((end, blob) => Math.max(end, blob.offset + blob.length), 0);
  // A file that is far larger than all that can be in it is not taken into memory as a whole.
  const usual = Math.max(endBytes + PACK_HEADER_MAX_BYTES, CHECK_BYTES_IN_FLIGHT_MAX);
  const length = Math.min(sizeBytes, usual);
  try {
    return await backend.load(file, { ...options, offset: 0, length });
  } catch (error) {
    if (isComebackError(error, "backend.permission")) throw error;
    await whyUnusable(error, backend, options);
  }
  const data = new Uint8Array(length);
  for (const { offset, length: blobBytes } of blobs) {
    if (offset + blobBytes > length) continue;
    try {
      data.set(await backend.load(file, { ...options, offset, length: blobBytes }), offset);
    } catch (error) {
      await whyUnusable(error, backend, options);
    }
  }
  return data;
}
