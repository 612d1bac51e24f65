import { once } from "node:events";
import type { Writable } from "node:stream";
import { PACE_SLICE_MAX_BYTES, REST_SEND_SLICE_BYTES } from "@comeback/core";
import type { TransferPace } from "@comeback/core";

/** Hands a body to a connection, slice by slice; false where it was stopped before the end. */
export async function sendBody(
  stream: Writable,
  body: Uint8Array,
  options: {
    readonly stop: AbortSignal;
    readonly pace?: TransferPace | undefined;
    onProgress(): void;
  },
): Promise<boolean> {
  const { stop, pace, onProgress } = options;
  const sliceBytes = pace === undefined ? REST_SEND_SLICE_BYTES : PACE_SLICE_MAX_BYTES;
  for (let at = 0; at < body.byteLength; at += sliceBytes) {
    if (stop.aborted) return false;
    const slice = body.subarray(at, at + sliceBytes);
    if (pace !== undefined && !(await isGranted(pace, slice.byteLength, stop))) return false;
    const flushed = stream.write(slice);
    if (!flushed && !(await isDrained(stream, stop))) return false;
    onProgress();
  }
  return !stop.aborted;
}

async function isGranted(pace: TransferPace, bytes: number, stop: AbortSignal): Promise<boolean> {
  try {
    await pace(bytes, stop);
    return true;
  } catch (error) {
    if (stop.aborted) return false;
    throw error;
  }
}

async function isDrained(stream: Writable, stop: AbortSignal): Promise<boolean> {
  if (stream.destroyed) return false;
  const settled = new AbortController();
  const signal = AbortSignal.any([stop, settled.signal]);
  try {
    await Promise.race([once(stream, "drain", { signal }), once(stream, "close", { signal })]);
    return !stream.destroyed;
  } catch {
    // What went wrong is told by the answer, or by the stream's own error.
    return false;
  } finally {
    settled.abort();
  }
}
