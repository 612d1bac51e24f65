import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** `up` is from the client to the server. */
export type Direction = "down" | "up";

/** What happens to the bytes of one direction of one connection. */
export interface ByteFaults {
  /** Every byte arrives so much later; bytes under way do not hold each other up. */
  readonly latencyMs?: number;
  readonly bytesPerSecond?: number;
  /** After so many bytes the connection is gone for both sides, as when a cable is pulled. */
  readonly resetAfterBytes?: number;
  /** After so many bytes this direction ends as if it had been complete. */
  readonly endAfterBytes?: number;
  /** After so many bytes nothing comes any more, and nobody says so. */
  readonly hangAfterBytes?: number;
  /** One bit of this byte is another. */
  readonly flipAtByte?: number;
}

/** The sender is told to wait where more than this is on its way. */
const QUEUED_MAX_BYTES = 1 << 20;

/** Carries the bytes of one direction, with its faults. */
export class FaultyPipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #faults: ByteFaults;
  #passedBytes = 0;
  #queuedBytes = 0;
  #queue: Promise<void> = Promise.resolve();
  #freeAtMs = 0;

  constructor(from: Socket, to: Socket, faults: ByteFaults) {
    this.#from = from;
    this.#to = to;
    this.#faults = faults;
    to.on("drain", () => from.resume());
    from.on("data", (chunk: Buffer) => this.#accept(chunk));
    from.on("end", () => this.#enqueue(0, () => this.#end()));
    // Without an end before it, a connection broke: but what was under way still arrives.
    from.on("close", () => this.#enqueue(0, () => this.#breakUnlessEnded()));
  }

  get passedBytes(): number {
    return this.#passedBytes;
  }

  #accept(chunk: Buffer): void {
    this.#queuedBytes += chunk.byteLength;
    if (this.#queuedBytes > QUEUED_MAX_BYTES) this.#from.pause();
    this.#enqueue(chunk.byteLength, () => {
      this.#pass(chunk);
      this.#queuedBytes -= chunk.byteLength;
      // Who does not read makes the sender wait, as without a proxy in between.
      if (this.#to.writableNeedDrain) this.#from.pause();
      else if (this.#queuedBytes <= QUEUED_MAX_BYTES) this.#from.resume();
    });
  }

  /** In order, and each when it is due. */
  #enqueue(bytes: number, act: () => void): void {
    const { latencyMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY } = this.#faults;
    const nowMs = performance.now();
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + (bytes * 1000) / bytesPerSecond;
    const dueMs = this.#freeAtMs + latencyMs;
    this.#queue = this.#queue.then(async () => {
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await delay(waitMs);
      act();
    });
  }

  #pass(chunk: Buffer): void {
    if (this.#to.destroyed || this.#to.writableEnded) return;
    const { resetAfterBytes, endAfterBytes, hangAfterBytes, flipAtByte } = this.#faults;
    const start = this.#passedBytes;
    const limits = [resetAfterBytes, endAfterBytes, hangAfterBytes];
    const limit = Math.min(...limits.map((bytes) => bytes ?? Number.POSITIVE_INFINITY));
    const passed = Buffer.from(chunk.subarray(0, Math.max(0, limit - start)));
    if (flipAtByte !== undefined && flipAtByte >= start) {
      const place = flipAtByte - start;
      if (place < passed.byteLength) passed[place]! ^= 1;
    }
    this.#passedBytes += passed.byteLength;
    const isCut = start + chunk.byteLength >= limit;
    if (isCut && limit === resetAfterBytes) this.#reset(passed);
    else if (isCut && limit === endAfterBytes) this.#to.end(passed);
    else if (passed.byteLength > 0) this.#to.write(passed);
  }

  /** Whoever hangs does not say goodbye either. */
  #end(): void {
    if (!this.#isHanging) this.#to.end();
  }

  #breakUnlessEnded(): void {
    if (!this.#to.writableEnded && !this.#isHanging) breakOff(this.#to);
  }

  get #isHanging(): boolean {
    return this.#passedBytes >= (this.#faults.hangAfterBytes ?? Number.POSITIVE_INFINITY);
  }

  /** What came before it still arrives; then both ends are told that the connection is gone. */
  #reset(last: Buffer): void {
    const reset = (): void => {
      breakOff(this.#to);
      this.#from.destroy();
    };
    if (last.byteLength === 0) reset();
    else this.#to.write(last, reset);
  }
}

/**
 * Lets the other end see a connection that broke. Where Node still has bytes to write it is only
 * closed: a reset then has been seen to keep the event loop of Node 26.10 busy for ever.
 */
function breakOff(socket: Socket): void {
  if (socket.connecting || socket.writableLength > 0 || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
