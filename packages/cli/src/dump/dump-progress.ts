import { formatBytes, formatRate } from "../terminal/format-values.ts";
import type { ProgressView } from "../terminal/progress-ticker.ts";

/** How much of a dump has come out, while it does. How much there will be is not known. */
export class DumpProgress implements ProgressView {
  readonly #now: () => number;
  readonly #startMs: number;
  #bytes = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#startMs = now();
  }

  /** The same bytes, counted. */
  async *count(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.#bytes += chunk.length;
      yield chunk;
    }
  }

  lines(): string[] {
    return [this.logLine()];
  }

  logLine(): string {
    const rate = formatRate(this.#bytes, this.#now() - this.#startMs);
    return `written ${formatBytes(this.#bytes)}  ${rate}`;
  }
}
