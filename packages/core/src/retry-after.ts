import { RETRY_AFTER_MAX_MS } from "./limits.ts";

/**
 * The pause that a server asks for with the header `Retry-After`: seconds, or a date (RFC 9110,
 * section 10.2.3). Undefined where there is none that could be understood.
 */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const isSeconds = /^\s*\d+\s*$/.test(text);
  // Every form of a date begins with the day of the week; Node would see one in "-5", too.
  if (!isSeconds && !/^\s*[a-z]/i.test(text)) return undefined;
  const waitMs = isSeconds ? Number(text) * 1000 : Date.parse(text) - nowMs;
  if (Number.isNaN(waitMs)) return undefined;
  return Math.min(Math.max(waitMs, 0), RETRY_AFTER_MAX_MS);
}

/** The same as a part of an error's context, where the layer that repeats calls looks for it. */
export function retryAfterContext(
  text: string | undefined,
  nowMs: number,
): { readonly retryAfterMs?: number } {
  const retryAfterMs = parseRetryAfter(text, nowMs);
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}
