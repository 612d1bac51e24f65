import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 5;
const HANG_MS = 120_000;

/** Waits for what has to happen sooner or later; how soon is not tested. */
export async function waitUntil(
  what: string,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  const endMs = performance.now() + HANG_MS;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`waited in vain for this: ${what}`);
    await sleep(POLL_MS);
  }
}
