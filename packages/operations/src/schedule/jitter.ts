import { createHash } from "node:crypto";

export interface JitterRequest {
  /** Whose start is put off: a plan and its trigger, say. */
  readonly key: string;
  readonly momentMs: number;
  readonly jitterMs: number;
  /** The next moment of the same schedule, which is never reached. */
  readonly nextMs: number | undefined;
}

/**
 * By how much a start is put off: anything from 0 to `jitterMs`, the same whenever it is asked, and
 * different for each key and moment, so that a hundred hosts do not reach one storage at once.
 */
export function jitterOf({ key, momentMs, jitterMs, nextMs }: JitterRequest): number {
  const bound = Math.min(jitterMs + 1, nextMs === undefined ? Infinity : nextMs - momentMs);
  if (bound <= 1) return 0;
  const hash = createHash("sha256").update(`${key}\0${momentMs}`).digest();
  return hash.readUIntBE(0, 6) % bound;
}
