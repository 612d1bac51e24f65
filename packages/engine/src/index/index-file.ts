import { damaged, DATA_BLOB_MAX_BYTES, TREE_BLOB_MAX_BYTES } from "@comeback/core";
import type { PackedBlob } from "../pack/header.ts";
import { isId } from "./blob-table.ts";

/** One pack as an index file lists it. */
export interface IndexedPack {
  readonly id: string;
  readonly blobs: readonly PackedBlob[];
}

/** An index file's JSON (restic design, "Indexing"); it ends with a newline, as restic writes it. */
export function encodeIndexFile(packs: readonly IndexedPack[]): Buffer {
  const parts: string[] = [];
  for (const pack of packs) {
    const blobs = pack.blobs.map((blob) => {
      const uncompressed =
        blob.uncompressedLength > 0 ? `,"uncompressed_length":${blob.uncompressedLength}` : "";
      return `{"id":"${blob.id}","type":"${blob.type}","offset":${blob.offset},"length":${blob.length}${uncompressed}}`;
    });
    parts.push(`{"id":"${pack.id}","blobs":[${blobs.join(",")}]}`);
  }
  return Buffer.from(`{"packs":[${parts.join(",")}]}\n`);
}

interface RawBlob {
  id?: unknown;
  type?: unknown;
  offset?: unknown;
  length?: unknown;
  uncompressed_length?: unknown;
}

/**
 * The packs of an index file. Unknown keys are passed over: rustic adds some, and older files have
 * `supersedes`, which restic ignores as well.
 */
export function decodeIndexFile(json: Uint8Array, what: string): IndexedPack[] {
  let parsed: { packs?: unknown } | null;
  try {
    parsed = JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.length).toString("utf8"));
  } catch (cause) {
    throw damaged(what, "it is not JSON", cause);
  }
  if (typeof parsed !== "object" || parsed === null) throw damaged(what, "it is not a JSON object");
  // The very first format of restic was a bare array of packs.
  const packs = Array.isArray(parsed) ? parsed : (parsed.packs ?? []);
  if (!Array.isArray(packs)) throw damaged(what, "its list of packs is not a list");
  for (const pack of packs as { id?: unknown; blobs?: unknown }[]) {
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
