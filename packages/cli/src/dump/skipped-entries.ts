import { formatMany } from "../terminal/format-values.ts";

/** How many entries of each kind an archive could not hold. */
export class SkippedEntries {
  readonly #counts = new Map<string, number>();

  add(type: string): void {
    this.#counts.set(type, (this.#counts.get(type) ?? 0) + 1);
  }

  /** One line about them; `undefined` where there were none. */
  describe(format: string): string | undefined {
    if (this.#counts.size === 0) return undefined;
    const counts = Array.from(this.#counts, ([type, count]) => formatMany(count, type));
    return `left out, because ${format} has no place for them: ${counts.join(", ")}`;
  }
}
