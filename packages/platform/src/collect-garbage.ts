import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** A heap that has grown less than this since it was last collected is left alone. */
const GROWTH_MIN_BYTES = 16 * 1024 * 1024;

/** What was given away since the last time must come to this: small packs leave little behind. */
const GIVEN_AWAY_MIN_BYTES = 16 * 1024 * 1024;

let collector: (() => void) | undefined;
let liveBytes = 0;
let givenAwaySoFarBytes = 0;

/**
 * Has V8 collect this thread's garbage now, where there may be much of it. Left alone it lets a heap
 * grow by tens of megabytes before it looks, which with a heap for every core adds up; a collection
 * at a moment when little is alive (packs of so many bytes have just been given away) takes a few
 * milliseconds.
 */
export function collectGarbage(givenAwayBytes: number): void {
  givenAwaySoFarBytes += givenAwayBytes;
  if (givenAwaySoFarBytes < GIVEN_AWAY_MIN_BYTES) return;
  givenAwaySoFarBytes = 0;
  if (getHeapStatistics().used_heap_size - liveBytes < GROWTH_MIN_BYTES) return;
  if (collector === undefined) {
    setFlagsFromString("--expose-gc");
    collector = runInNewContext("gc") as () => void;
  }
  collector();
  liveBytes = getHeapStatistics().used_heap_size;
}
