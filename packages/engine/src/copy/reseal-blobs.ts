import { collectGarbage } from "@comeback/platform";
import type { TaskResult, WorkerContext } from "../cpu-pool/worker-context.ts";
import type { BlobType } from "../index/blob-table.ts";
import type { FinishedPack, ForeignBlob, Packer } from "../pack/packer.ts";
import type { CopyBlobsInput, CopyBlobsOutput, CopyFlushOutput } from "./tasks.ts";

/** The task "copy.blobs": each blob is proven by its hash before it is claimed and kept. */
export function resealBlobs(
  context: WorkerContext,
  input: CopyBlobsInput,
): TaskResult<CopyBlobsOutput> {
  const { data, startOffset, entries } = input;
  const { table: known } = context;
  const { table } = context.source;
  const id = new Uint8Array(32);
  const damaged: number[] = [];
  const packs: Record<BlobType, FinishedPack[]> = { data: [], tree: [] };
  const blobs: Record<BlobType, number> = { data: 0, tree: 0 };
  for (const entry of entries) {
    const words = table.idWordsOf(entry);
    const type = table.typeOf(entry);
    if (known.find(type, words) >= 0) continue;
    const { offset, length, uncompressedLength } = table.locationOf(entry);
    table.idBytesOf(entry, id);
    const box = data.subarray(offset - startOffset, offset - startOffset + length);
    const packer = type === "data" ? context.packer : context.treePacker;
    const claim = (): number => known.claim(type, words);
    const blob = { id, box, uncompressedLength };
    const kept = keepsCompression(context, input, uncompressedLength)
      ? packer.adopt(blob, context.source.codec.cipher, claim)
      : packAnew(context, packer, blob, claim);
    if (kept === undefined) damaged.push(entry);
    if (kept !== true) continue;
    blobs[type]++;
    if (packer.isFull) packs[type].push(packer.finish());
  }
  data.buffer.transfer(0);
  const finished = [...packs.data, ...packs.tree];
  collectGarbage(finished.reduce((sum, { bytes }) => sum + bytes, 0));
  return {
    output: {
      packs: packs.data,
      treePacks: packs.tree,
      damaged,
      dataBlobs: blobs.data,
      treeBlobs: blobs.tree,
    },
    transfer: finished.flatMap((pack) => [pack.buffer, pack.entries.buffer]),
  };
}

/** The task "copy.flush". */
export function flushPackers(context: WorkerContext): TaskResult<CopyFlushOutput> {
  const data = context.packer.take();
  const trees = context.treePacker.take();
  const open = [data, trees].filter((pack) => pack !== undefined);
  return {
    output: { data, trees },
    transfer: open.flatMap((pack) => [pack.buffer, pack.entries.buffer]),
  };
}

/** What is not compressed, in version 1 for one, is compressed now where the target may do so. */
function keepsCompression(
  { setup }: WorkerContext,
  { recompress }: CopyBlobsInput,
  uncompressedLength: number,
): boolean {
  return !recompress && setup.version === 2 && uncompressedLength > 0;
}

/** True where the blob was packed, false where somebody else has it, undefined where it is damaged. */
function packAnew(
  { source }: WorkerContext,
  packer: Packer,
  blob: ForeignBlob,
  claim: () => number,
): boolean | undefined {
  const plaintext = source.codec.open(blob.id, blob.box, blob.uncompressedLength);
  if (plaintext === undefined) return undefined;
  const entry = claim();
  if (entry >= 0) packer.add(blob.id, entry, plaintext);
  return entry >= 0;
}
