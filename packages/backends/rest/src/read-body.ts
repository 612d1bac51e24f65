import type { Readable } from "node:stream";
import { REST_ALLOCATE_AHEAD_BYTES } from "@comeback/core";
import type { StallGuard } from "./stall-guard.ts";

/** The pieces of an answer's body. While the caller has one, the server's time stands still. */
export async function* readPieces(
  body: Readable,
  guard: StallGuard,
): AsyncGenerator<Uint8Array, void> {
  const cut = (): void => void body.destroy(guard.signal.reason as Error);
  guard.signal.addEventListener("abort", cut, { once: true });
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      guard.pause();
      yield piece;
      guard.resume();
    }
  } finally {
    guard.signal.removeEventListener("abort", cut);
    body.destroy();
  }
}

/** Why a body is not what its header said. */
export class WrongLength extends Error {}

/** Exactly so many bytes, or `WrongLength`. Memory is taken as they come. */
export async function readExactly(
  body: Readable,
  length: number,
  guard: StallGuard,
): Promise<Uint8Array<ArrayBuffer>> {
  // Not from a pool, so that it can be transferred; filled completely below.
  let target = Buffer.allocUnsafeSlow(Math.min(length, REST_ALLOCATE_AHEAD_BYTES));
  let done = 0;
  for await (const piece of readPieces(body, guard)) {
    if (done + piece.byteLength > length) {
      throw new WrongLength(`more than the ${length} bytes announced came`);
    }
    if (done + piece.byteLength > target.byteLength) target = enlarged(target, length);
    target.set(piece, done);
    done += piece.byteLength;
  }
  if (done < length) throw new WrongLength(`only ${done} of ${length} bytes came`);
  return new Uint8Array(target.buffer);
}

function enlarged(target: Buffer<ArrayBuffer>, length: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(Math.min(length, target.byteLength * 2));
  larger.set(target);
  return larger;
}

/** The beginning of a text for people; the rest is not read. */
export async function readText(
  body: Readable,
  maxBytes: number,
  guard: StallGuard,
): Promise<string> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const piece of readPieces(body, guard)) {
      pieces.push(piece);
      sizeBytes += piece.byteLength;
      if (sizeBytes >= maxBytes) break;
    }
  } catch {
    // It would only have explained a failure that is known already.
  }
  return Buffer.concat(pieces).subarray(0, maxBytes).toString("utf8");
}
