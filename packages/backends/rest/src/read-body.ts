import type { Readable } from "node:stream";
import { REST_ALLOCATE_AHEAD_BYTES } from "@comeback/core";
import type { TransferPace } from "@comeback/core";
import type { StallGuard } from "./stall-guard.ts";

/** Why a body is not what its header said. */
export class WrongLength extends Error {}

/** Settles once a body has ended, or cannot go on. */
function endOf(body: Readable, guard: StallGuard): Promise<void> {
  return new Promise((resolve, reject) => {
    const { signal } = guard;
    const cut = (): void => {
      reject(signal.reason as Error);
      body.destroy();
    };
    const settle = (perform: () => void): void => {
      signal.removeEventListener("abort", cut);
      perform();
    };
    body.once("end", () => settle(resolve));
    body.once("error", (error) => settle(() => reject(error)));
    body.once("close", () => settle(() => reject(new WrongLength("it ended in the middle"))));
    signal.addEventListener("abort", cut, { once: true });
    if (signal.aborted) cut();
    else if (body.readableEnded) resolve();
    else if (body.destroyed) reject(body.errored ?? new WrongLength("it ended in the middle"));
  });
}

/**
 * The pieces of a body, as fast as the caller takes them: meanwhile the server's time stands still.
 * (Node's own iterator takes HTTP/2 streams that end between two turns for broken ones.)
 */
export async function* readPieces(
  body: Readable,
  guard: StallGuard,
): AsyncGenerator<Uint8Array, void> {
  let isOver = false;
  let wake = (): void => undefined;
  const end = endOf(body, guard).finally(() => {
    isOver = true;
    wake();
  });
  // Awaited below, but perhaps later than it fails.
  end.catch(() => undefined);
  const awaken = (): void => wake();
  body.on("readable", awaken);
  try {
    for (;;) {
      const readable = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const piece = body.read() as Buffer | null;
      if (piece !== null) {
        guard.pause();
        yield piece;
        guard.resume();
      } else if (isOver) {
        return await end;
      } else {
        await readable;
      }
    }
  } finally {
    body.off("readable", awaken);
    body.destroy();
  }
}

/** Exactly so many bytes, or `WrongLength`. Memory is taken as they come, at the pace given. */
export async function readExactly(
  body: Readable,
  length: number,
  guard: StallGuard,
  pace?: TransferPace,
): Promise<Uint8Array<ArrayBuffer>> {
  // Not from a pool, so that it can be transferred; filled completely below.
  let target = Buffer.allocUnsafeSlow(Math.min(length, REST_ALLOCATE_AHEAD_BYTES));
  let done = 0;
  body.on("data", (piece: Buffer) => {
    guard.progress();
    if (done + piece.byteLength > length) {
      body.destroy(new WrongLength(`more than the ${length} bytes announced came`));
      return;
    }
    if (done + piece.byteLength > target.byteLength) target = enlarged(target, length);
    target.set(piece, done);
    done += piece.byteLength;
    if (pace === undefined) return;
    body.pause();
    guard.pause();
    pace(piece.byteLength, guard.signal).then(
      () => {
        guard.resume();
        body.resume();
      },
      (error: unknown) => body.destroy(error as Error),
    );
  });
  await endOf(body, guard);
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
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  body.on("data", (piece: Buffer) => {
    guard.progress();
    sizeBytes += piece.byteLength;
    if (sizeBytes <= maxBytes) pieces.push(piece);
    else body.destroy();
  });
  // It would only explain a failure that is known already.
  await endOf(body, guard).catch(() => undefined);
  return Buffer.concat(pieces).toString("utf8");
}
