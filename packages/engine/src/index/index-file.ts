import { damaged, DATA_BLOB_MAX_BYTES, TREE_BLOB_MAX_BYTES } from "@comeback/core";
import type { PackedBlob } from "../pack/header.ts";
import { isId } from "./blob-table.ts";

/** Since when a pack waits to be deleted. rustic leaves out what it does not know. */
export interface PackMark {
  readonly timeMs?: number;
  readonly sizeBytes?: number;
}

/** One pack as an index file lists it. */
export interface IndexedPack {
  readonly id: string;
  readonly blobs: readonly PackedBlob[];
  /** Set where the file lists it among rustic's `packs_to_delete`, which restic does not look at. */
  readonly mark?: PackMark;
}

/** The same, with blobs that need not all be there at once. */
export interface PackToEncode extends Omit<IndexedPack, "blobs"> {
  readonly blobs: Iterable<PackedBlob>;
}

/** An index file's JSON (restic design, "Indexing"); it ends with a newline, as restic writes it. */
export function encodeIndexFile(packs: readonly PackToEncode[]): Buffer {
  const listed: string[] = [];
  const marked: string[] = [];
  for (const { id, blobs, mark } of packs) {
    const pack = `"id":"${id}","blobs":[${Array.from(blobs, encodeBlob).join(",")}]`;
    if (mark === undefined) listed.push(`{${pack}}`);
    else marked.push(`{${pack}${encodeMark(mark)}}`);
  }
  const toDelete = marked.length > 0 ? `,"packs_to_delete":[${marked.join(",")}]` : "";
  return Buffer.from(`{"packs":[${listed.join(",")}]${toDelete}}\n`);
}

function encodeBlob({ id, type, offset, length, uncompressedLength }: PackedBlob): string {
  const uncompressed = uncompressedLength > 0 ? `,"uncompressed_length":${uncompressedLength}` : "";
  return `{"id":"${id}","type":"${type}","offset":${offset},"length":${length}${uncompressed}}`;
}

function encodeMark({ timeMs, sizeBytes }: PackMark): string {
  const time = timeMs === undefined ? "" : `,"time":"${new Date(timeMs).toISOString()}"`;
  return `${time}${sizeBytes === undefined ? "" : `,"size":${sizeBytes}`}`;
}

interface RawBlob {
  id?: unknown;
  type?: unknown;
  offset?: unknown;
  length?: unknown;
  uncompressed_length?: unknown;
}

interface RawPack {
  id?: unknown;
  blobs?: unknown;
  time?: unknown;
  size?: unknown;
}

/**
 * The packs of an index file, those that wait to be deleted (rustic's `packs_to_delete`) behind the
 * others. Unknown keys are passed over: older files have `supersedes`, which restic ignores as well.
 */
export function decodeIndexFile(json: Uint8Array, what: string): IndexedPack[] {
  let parsed: { packs?: unknown; packs_to_delete?: unknown } | null;
  try {
    parsed = JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.length).toString("utf8"));
  } catch (cause) {
    throw damaged(what, "it is not JSON", cause);
  }
  if (typeof parsed !== "object" || parsed === null) throw damaged(what, "it is not a JSON object");
  // The very first format of restic was a bare array of packs.
  const packs = packList(Array.isArray(parsed) ? parsed : (parsed.packs ?? []), what);
  const marked = packList(parsed.packs_to_delete ?? [], what);
  for (const pack of marked as (IndexedPack & RawPack & { mark?: PackMark })[]) {
    const { time, size } = pack;
    const timeMs = typeof time === "string" ? Date.parse(time) : Number.NaN;
    pack.mark = {
      ...(Number.isNaN(timeMs) ? {} : { timeMs }),
      ...(Number.isSafeInteger(size) ? { sizeBytes: size as number } : {}),
    };
  }
  return marked.length === 0 ? packs : [...packs, ...marked];
}

function packList(packs: unknown, what: string): IndexedPack[] {
  if (!Array.isArray(packs)) throw damaged(what, "its list of packs is not a list");
  for (const pack of packs as RawPack[]) {
    if (!isId(pack?.id)) throw damaged(what, "it lists a pack without a proper id");
    if (!Array.isArray(pack.blobs)) throw damaged(what, "it lists a pack without blobs");
    const blobs = pack.blobs as (RawBlob & { uncompressedLength?: number })[];
    for (const blob of blobs) {
      checkBlob(blob, what);
      // Renamed in place: an index may list millions, and a copy of each would double the memory.
      blob.uncompressedLength = (blob.uncompressed_length as number | undefined) ?? 0;
    }
  }
  return packs as IndexedPack[];
}

function checkBlob(blob: RawBlob | null, what: string): void {
  const limit = blob?.type === "tree" ? TREE_BLOB_MAX_BYTES : DATA_BLOB_MAX_BYTES;
  const ok =
    isId(blob?.id) &&
    (blob.type === "data" || blob.type === "tree") &&
    isCount(blob.offset, 0xffff_ffff) &&
    isCount(blob.length, limit) &&
    (blob.uncompressed_length === undefined || isCount(blob.uncompressed_length, limit));
  if (!ok) throw damaged(what, "it describes a blob in a way that cannot be");
}

function isCount(value: unknown, limit: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= limit;
}
