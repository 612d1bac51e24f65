import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collector: (() => void) | undefined;

/**
 * Has V8 collect this thread's garbage now. Left alone it lets a heap grow by tens of megabytes
 * before it looks, which with a heap for every core adds up; a collection at a moment when little
 * is alive (a pack has just been given away) takes a few milliseconds.
 */
export function collectGarbage(): void {
  if (collector === undefined) {
    setFlagsFromString("--expose-gc");
    collector = runInNewContext("gc") as () => void;
  }
  collector();
}
