import type { Running } from "./run-program.ts";

/**
 * Writes to a program's standard input, as fast as it reads. A backup of its standard input is at
 * exactly the place that the test wants it at, without a race: it cannot end before `endInput`.
 * Resolves early where the program has stopped to read.
 */
export async function feed(running: Running, data: Uint8Array): Promise<void> {
  const { stdin } = running.child;
  if (stdin === null || stdin.destroyed) return;
  const written = new Promise<void>((resolve) => {
    stdin.write(data, () => resolve());
  });
  await Promise.race([written, running.finished]);
}

export function endInput(running: Running): void {
  running.child.stdin?.end();
}
