import { damaged, PACK_HEADER_MAX_BYTES } from "@comeback/core";
import type { BlobPlace, BlobType } from "../index/blob-table.ts";
import { BOX_OVERHEAD_BYTES, type BoxCipher } from "../crypto/box.ts";

/** One blob of a pack, as its header and the index describe it. */
export interface PackedBlob extends BlobPlace {
  readonly type: BlobType;
  /** 64 hex digits. */
  readonly id: string;
}

// Header entry types (restic design, "Pack Format").
const TYPE_DATA = 0;
const TYPE_TREE = 1;
const TYPE_COMPRESSED_DATA = 2;
const TYPE_COMPRESSED_TREE = 3;

const PLAIN_ENTRY_BYTES = 37;
const COMPRESSED_ENTRY_BYTES = 41;
/** The header's length stands in the last four bytes of a pack. */
export const PACK_TRAILER_BYTES = 4;

/** Bytes that one blob takes in the header. */
export function packEntryBytes(blob: { readonly uncompressedLength: number }): number {
  return blob.uncompressedLength > 0 ? COMPRESSED_ENTRY_BYTES : PLAIN_ENTRY_BYTES;
}

/** Bytes that header and trailer of a pack take beside their entries. */
export const PACK_HEADER_OVERHEAD_BYTES: number = BOX_OVERHEAD_BYTES + PACK_TRAILER_BYTES;

/** Bytes that header and trailer of a pack with these blobs take. */
export function packHeaderBytes(blobs: readonly PackedBlob[]): number {
  return blobs.reduce((sum, blob) => sum + packEntryBytes(blob), PACK_HEADER_OVERHEAD_BYTES);
}

/** Writes what stands before the id in a blob's entry; returns where the id goes. */
export function writePackEntry(
  header: Buffer,
  at: number,
  type: BlobType,
  { length, uncompressedLength }: Omit<BlobPlace, "offset">,
): number {
  const tree = type === "tree";
  if (uncompressedLength === 0) {
    header[at] = tree ? TYPE_TREE : TYPE_DATA;
    return header.writeUInt32LE(length, at + 1);
  }
  header[at] = tree ? TYPE_COMPRESSED_TREE : TYPE_COMPRESSED_DATA;
  return header.writeUInt32LE(uncompressedLength, header.writeUInt32LE(length, at + 1));
}

/** Header and trailer for blobs that stand in this order from offset 0. */
export function encodePackHeader(blobs: readonly PackedBlob[], cipher: BoxCipher): Uint8Array {
  const total = packHeaderBytes(blobs);
  const plain = Buffer.alloc(total - BOX_OVERHEAD_BYTES - PACK_TRAILER_BYTES);
  let at = 0;
  for (const blob of blobs) {
    at = writePackEntry(plain, at, blob.type, blob);
    at += plain.write(blob.id, at, "hex");
  }
  const result = Buffer.alloc(total);
  cipher.sealInto(plain, result);
  result.writeUInt32LE(total - PACK_TRAILER_BYTES, total - PACK_TRAILER_BYTES);
  return result;
}

/** The length of the header box, from the pack's last four bytes. */
export function packHeaderLength(trailer: Uint8Array, packBytes: number, what: string): number {
  const view = new DataView(
    trailer.buffer,
    trailer.byteOffset + trailer.length - PACK_TRAILER_BYTES,
  );
  const length = view.getUint32(0, true);
  if (length > PACK_HEADER_MAX_BYTES || length < BOX_OVERHEAD_BYTES) {
    throw damaged(what, `its header claims a length of ${length} bytes`);
  }
  if (length + PACK_TRAILER_BYTES > packBytes) {
    throw damaged(what, `its header claims ${length} bytes of ${packBytes}`);
  }
  return length;
}

/**
 * The blobs that the header box lists. `headerOffset` is where the box starts in the pack: the
 * blobs must fill the pack up to there exactly.
 */
export function decodePackHeader(
  box: Uint8Array,
  headerOffset: number,
  cipher: BoxCipher,
  what: string,
): PackedBlob[] {
  const opened = cipher.open(box);
  if (opened === undefined) throw damaged(what, "its header's authentication code does not hold");
  const plain = Buffer.from(opened.buffer);
  const blobs: PackedBlob[] = [];
  let at = 0;
  let offset = 0;
  while (at < plain.length) {
    const kind = plain[at] as number;
    if (kind > TYPE_COMPRESSED_TREE) throw damaged(what, `its header has an entry of type ${kind}`);
    const compressed = kind >= TYPE_COMPRESSED_DATA;
    const size = compressed ? COMPRESSED_ENTRY_BYTES : PLAIN_ENTRY_BYTES;
    if (at + size > plain.length) throw damaged(what, "its header ends within an entry");
    const length = plain.readUInt32LE(at + 1);
    blobs.push({
      type: kind === TYPE_TREE || kind === TYPE_COMPRESSED_TREE ? "tree" : "data",
      id: plain.toString("hex", at + size - 32, at + size),
      offset,
      length,
      uncompressedLength: compressed ? plain.readUInt32LE(at + 5) : 0,
    });
    offset += length;
    at += size;
  }
  if (offset !== headerOffset) {
    throw damaged(what, `its blobs fill ${offset} bytes, but its header starts at ${headerOffset}`);
  }
  return blobs;
}
