import { type BackendMetrics, medianMs, newMetrics } from "@comeback/backend-layers";
import { formatBytes } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";
import { type Column, renderTable } from "../terminal/table.ts";

const METHODS = [
  "save",
  "load",
  "stat",
  "list",
  "remove",
] as const satisfies readonly (keyof BackendMetrics)[];

/** What the storages of a command were called for, and how long it took. */
export class StorageStatistics {
  readonly #metrics = new Map<string, BackendMetrics>();

  /** What the calls at a place are counted into. */
  of(location: string): BackendMetrics {
    const known = this.#metrics.get(location) ?? newMetrics();
    this.#metrics.set(location, known);
    return known;
  }

  get isEmpty(): boolean {
    return this.#metrics.size === 0;
  }

  /** For a person: one line a method that was called. */
  render(): string[] {
    return [...this.#metrics].flatMap(([location, metrics]) => {
      const columns: Column[] = [
        { title: "Storage" },
        { title: "calls", align: "right" },
        { title: "errors", align: "right" },
        { title: "bytes", align: "right" },
        { title: "median", align: "right" },
        { title: "most", align: "right" },
      ];
      const rows = METHODS.filter((method) => metrics[method].calls > 0).map((method) => {
        const counted = metrics[method];
        const { calls, errors, bytes, longestMs } = counted;
        return [
          method,
          String(calls),
          String(errors),
          formatBytes(bytes),
          `${medianMs(counted)} ms`,
          `${longestMs} ms`,
        ];
      });
      return ["", `calls of ${printableText(location)}`, ...renderTable(columns, rows)];
    });
  }

  /** For a program. restic has no such message. */
  message(): string {
    const storages = [...this.#metrics].map(([location, metrics]) => ({
      location,
      ...Object.fromEntries(
        METHODS.map((method) => {
          const counted = metrics[method];
          const { calls, errors, bytes, totalMs, longestMs } = counted;
          const times = { total_ms: totalMs, median_ms: medianMs(counted), max_ms: longestMs };
          return [method, { calls, errors, bytes, ...times }];
        }),
      ),
    }));
    return JSON.stringify({ message_type: "storage_statistics", storages });
  }
}
