import { damaged, type ListedFile, type OperationOptions } from "@comeback/core";
import {
  decodePackHeader,
  PACK_HEADER_OVERHEAD_BYTES,
  PACK_TRAILER_BYTES,
  type PackedBlob,
  packHeaderLength,
} from "../pack/header.ts";
import type { Repository } from "../repository/repository.ts";

/** Read with the trailer in one call: the header of nearly every pack. */
const FIRST_READ_BYTES = 32 * 1024;

/** The blobs that a pack itself says it holds. Throws `repository.damaged` where it cannot. */
export async function readPackHeader(
  { backend, codec }: Repository,
  { name, sizeBytes }: ListedFile,
  options: OperationOptions,
): Promise<PackedBlob[]> {
  const what = `pack ${name.slice(0, 10)}`;
  if (sizeBytes < PACK_HEADER_OVERHEAD_BYTES) throw damaged(what, "it has no room for a header");
  const file = { type: "pack", name } as const;
  const tailBytes = Math.min(sizeBytes, FIRST_READ_BYTES);
  const tail = await backend.load(file, {
    ...options,
    offset: sizeBytes - tailBytes,
    length: tailBytes,
  });
  const length = packHeaderLength(tail, sizeBytes, what);
  const offset = sizeBytes - PACK_TRAILER_BYTES - length;
  const end = tailBytes - PACK_TRAILER_BYTES;
  const box =
    length <= end
      ? tail.subarray(end - length, end)
      : await backend.load(file, { ...options, offset, length });
  return decodePackHeader(box, offset, codec.cipher, what);
}
