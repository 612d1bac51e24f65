import { once } from "node:events";
import type { Writable } from "node:stream";
import { REST_SEND_SLICE_BYTES } from "@comeback/core";

/** Hands a body to a connection, slice by slice; false where it was stopped before the end. */
export async function sendBody(
  stream: Writable,
  body: Uint8Array,
  options: { readonly stop: AbortSignal; onProgress(): void },
): Promise<boolean> {
  const { stop, onProgress } = options;
  for (let at = 0; at < body.byteLength; at += REST_SEND_SLICE_BYTES) {
    if (stop.aborted) return false;
    const flushed = stream.write(body.subarray(at, at + REST_SEND_SLICE_BYTES));
    if (!flushed && !(await isDrained(stream, stop))) return false;
    onProgress();
  }
  return !stop.aborted;
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
