/** Stands at the end of whatever was too long. */
export const CUT_MARK = "… (cut)";

/**
 * Text that fits, its end left out visibly where it would not. `measure` says how much of the limit
 * a text takes up, where that is not its length in UTF-16 units.
 */
export function cutText(
  text: string,
  max: number,
  measure: (text: string) => number = (given) => given.length,
): string {
  if (measure(text) <= max) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (measure(text.slice(0, middle) + CUT_MARK) <= max) low = middle;
    else high = middle - 1;
  }
  return text.slice(0, low).replace(/[\uD800-\uDBFF]$/, "") + CUT_MARK;
}

export function utf8Bytes(text: string): number {
  return Buffer.byteLength(text);
}
