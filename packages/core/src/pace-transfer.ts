import type { TransferPace } from "./backend.ts";
import { PACE_SLICE_MAX_BYTES } from "./limits.ts";

/**
 * The parts of what is to be sent, each given when it may go: a body for `Readable.from` or a loop
 * of writes. They are views, not copies.
 */
export async function* pacedSlices(
  data: Uint8Array,
  pace: TransferPace,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < data.byteLength; start += PACE_SLICE_MAX_BYTES) {
    const slice = data.subarray(start, start + PACE_SLICE_MAX_BYTES);
    await pace(slice.byteLength, signal);
    yield slice;
  }
}
