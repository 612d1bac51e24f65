import { formatCount } from "../terminal/format-values.ts";

/** Items that are named; the rest is counted. */
const NAMED_MAX = 20;

/** Indented lines for the first of them. `count` is larger where not all of them are kept. */
export function namedFew(items: readonly string[], count: number = items.length): string[] {
  const rest = count - Math.min(items.length, NAMED_MAX);
  const more = rest > 0 ? [`  and ${formatCount(rest)} more`] : [];
  return [...items.slice(0, NAMED_MAX).map((item) => `  ${item}`), ...more];
}
