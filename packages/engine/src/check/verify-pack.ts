import { CHECK_DETAILS_KEPT_MAX, isComebackError, messageOf } from "@comeback/core";
import type { TaskResult, WorkerContext } from "../cpu-pool/worker-context.ts";
import { sha256 } from "../crypto/blob-codec.ts";
import type { BlobLocation, BlobTable } from "../index/blob-table.ts";
import {
  decodePackHeader,
  PACK_TRAILER_BYTES,
  packEntryBytes,
  packHeaderLength,
  type PackedBlob,
  writePackEntry,
} from "../pack/header.ts";
import type { CheckPackInput, CheckPackOutput, DamagedBlob } from "./tasks.ts";
import { TreeVerifier } from "./verify-tree.ts";

/** Opens every blob asked for, and, where the whole pack is there, compares its name and header. */
export function verifyPack(
  context: WorkerContext,
  input: CheckPackInput,
): TaskResult<CheckPackOutput> {
  const { codec, table } = context;
  const { data, startOffset, entries } = input;
  const problems = input.whole ? verifyWhole(context, input) : [];
  const damagedBlobs: DamagedBlob[] = [];
  const trees = new TreeVerifier(table);
  const id = new Uint8Array(32);
  for (const entry of entries) {
    const place = table.locationOf(entry);
    const start = place.offset - startOffset;
    if (start + place.length > data.length) {
      damagedBlobs.push({ entry, why: "it lies beyond the end of the pack" });
      continue;
    }
    const box = data.subarray(start, start + place.length);
    table.idBytesOf(entry, id);
    const plaintext = codec.open(id, box, place.uncompressedLength);
    if (plaintext === undefined) damagedBlobs.push({ entry, why: whyNot(context, box, place) });
    else if (table.typeOf(entry) === "tree") trees.verify(entry, plaintext);
  }
  // Gives the memory back now instead of at the next garbage collection.
  data.buffer.transfer(0);
  const edges = trees.edges();
  const blobsOpened = entries.length - damagedBlobs.length;
  return {
    output: { problems, damagedBlobs, treeFindings: trees.findings, edges, blobsOpened },
    transfer: [edges.buffer],
  };
}

function whyNot(context: WorkerContext, box: Uint8Array, place: BlobLocation): string {
  const opened = context.codec.cipher.open(box);
  if (opened === undefined) return "its authentication code does not hold";
  return place.uncompressedLength > 0
    ? "it does not decompress to what its id promises"
    : "its content does not match its id";
}

/** What is wrong with name and header of a pack (restic design, "Pack Format"). */
function verifyWhole(context: WorkerContext, input: CheckPackInput): string[] {
  const { data, packId } = input;
  const problems: string[] = [];
  const hash = sha256(data).toString("hex");
  if (hash !== packId) problems.push("its content does not match its name");
  const end = data.length - PACK_TRAILER_BYTES;
  if (end < 0) return [...problems, "it has no room for a header"];
  try {
    const length = packHeaderLength(data.subarray(end), data.length, "pack");
    const start = end - length;
    const header = data.subarray(start, end);
    if (!isWhatIndexSays(context, input.entries, header, start)) {
      const blobs = decodePackHeader(header, start, context.codec.cipher, "pack");
      problems.push(...compareWithIndex(context.table, input.entries, blobs));
    }
  } catch (error) {
    if (!isComebackError(error)) throw error;
    problems.push(error.why ?? messageOf(error));
  }
  return problems;
}

/** Whether a header is byte by byte the one that these entries of the index would have. */
function isWhatIndexSays(
  { codec, table }: WorkerContext,
  entries: Uint32Array,
  box: Uint8Array,
  startOffset: number,
): boolean {
  const opened = codec.cipher.open(box);
  if (opened === undefined) return false;
  const expected = Buffer.allocUnsafe(opened.length);
  let at = 0;
  let offset = 0;
  for (const entry of entries) {
    const place = table.locationOf(entry);
    if (place.offset !== offset || at + packEntryBytes(place) > expected.length) return false;
    offset += place.length;
    at = writePackEntry(expected, at, table.typeOf(entry), place);
    table.idBytesOf(entry, expected.subarray(at, at + 32));
    at += 32;
  }
  return offset === startOffset && at === expected.length && expected.equals(opened);
}

/** Differences between what the header and what the index say of a pack. */
function compareWithIndex(
  table: BlobTable,
  entries: Uint32Array,
  blobs: readonly PackedBlob[],
): string[] {
  const id = Buffer.alloc(32);
  const isSame = (entry: number, blob: PackedBlob | undefined): boolean => {
    const place = table.locationOf(entry);
    table.idBytesOf(entry, id);
    return (
      blob !== undefined &&
      blob.offset === place.offset &&
      blob.length === place.length &&
      blob.uncompressedLength === place.uncompressedLength &&
      blob.type === table.typeOf(entry) &&
      blob.id === id.toString("hex")
    );
  };
  const inHeader = new Map(blobs.map((blob) => [blob.offset, blob]));
  const odd = entries.filter(
    (entry) => !isSame(entry, inHeader.get(table.locationOf(entry).offset)),
  );
  const differences = Array.from(odd.subarray(0, CHECK_DETAILS_KEPT_MAX), (entry) => {
    return `its header has no blob ${table.idOf(entry).slice(0, 10)} where the index says`;
  });
  if (odd.length > differences.length) differences.push(`${odd.length} such blobs in all`);
  const unlisted = blobs.length - (entries.length - odd.length);
  if (unlisted > 0) differences.push(`the index does not list ${unlisted} blobs of its header so`);
  return differences;
}
