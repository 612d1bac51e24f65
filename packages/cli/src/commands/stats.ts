import {
  computeGrowth,
  computeStats,
  type RepositoryStats,
  STATS_MODES,
  type StatsMode,
} from "@comeback/engine";
import { openSession } from "../opening/session.ts";
import { parseChoice } from "../options/parse-values.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../options/snapshot-filter.ts";
import type { CommandModule } from "../program.ts";
import { findSnapshots } from "../snapshots/find-snapshots.ts";
import { growthMessage, renderGrowth } from "../snapshots/render-growth.ts";
import { formatBytes, formatCount } from "../terminal/format-values.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";
import { renderBar } from "../terminal/progress-bar.ts";

interface StatsFlags extends FilterFlags {
  readonly mode: string;
}

const DESCRIPTION = `Count what snapshots hold, or what they take up in the repository.

  restore-size       files, and their size when they are restored
  files-by-contents  files whose content is not that of another
  blobs-per-file     files, and the blobs that each of them consists of
  raw-data           blobs as they are stored, and how well they are compressed
  growth             what each snapshot added to those before it`;

const GROWTH = "growth";

export const define: CommandModule["define"] = (command, run) => {
  addFilterOptions(
    command
      .description(DESCRIPTION)
      .argument("[snapshot...]", "ids, or `latest`; default: all snapshots"),
  )
    .option("--mode <mode>", "one of the five above", "restore-size")
    .action(
      run<StatsFlags>(async (context, flags, names) => {
        const { terminal, globals, env } = context;
        const mode = parseChoice("--mode", flags.mode, [...STATS_MODES, GROWTH] as const);
        await using session = await openSession(context, { lock: "shared" });
        const { repository, signal } = session;
        await repository.loadIndex({ includeMarked: true, signal });
        const snapshots = await findSnapshots(session, names, filterOf(flags, env));
        // restic has no status messages for this.
        const quiet = globals.quiet || globals.json;
        using ticker = new ProgressTicker({ terminal, env, quiet, json: false });
        let done = 0;
        const line = (): string => `snapshot ${done} of ${snapshots.length}`;
        ticker.start({
          lines: (columns) => [`${renderBar(done / snapshots.length, columns)}  ${line()}`],
          logLine: line,
        });
        const onSnapshot = (_: unknown, number: number): void => void (done = number - 1);
        const options = { repository, snapshots, signal, onSnapshot };
        const result =
          mode === GROWTH
            ? { growth: await computeGrowth(options) }
            : { stats: await computeStats({ ...options, mode }), mode };
        ticker.stop();
        if (globals.json) {
          const message = "growth" in result ? growthMessage(result.growth) : result.stats;
          terminal.print(JSON.stringify(message));
        } else {
          const lines =
            "growth" in result
              ? renderGrowth(result.growth)
              : renderStats(result.stats, result.mode);
          terminal.print(lines.join("\n"));
        }
        return 0;
      }),
    );
};

/** The figures of one mode, for a person. */
export function renderStats(stats: RepositoryStats, mode: StatsMode): string[] {
  const rows: [string, string][] = [["snapshots", formatCount(stats.snapshots_count)]];
  const count = (title: string, value: number | undefined): void => {
    if (value !== undefined) rows.push([title, formatCount(value)]);
  };
  const percent = (title: string, value: number | undefined): void => {
    if (value !== undefined) rows.push([title, `${value.toFixed(2)}%`]);
  };
  count("blobs", stats.total_blob_count);
  count("files", stats.total_file_count);
  if (stats.total_uncompressed_size !== undefined) {
    rows.push(["uncompressed size", formatBytes(stats.total_uncompressed_size)]);
  }
  rows.push(["total size", formatBytes(stats.total_size)]);
  percent("compressed blobs", stats.compression_progress);
  if (stats.compression_ratio !== undefined) {
    rows.push(["compression ratio", `${stats.compression_ratio.toFixed(2)} to 1`]);
  }
  percent("space saved", stats.compression_space_saving);
  return [
    `${mode}:`,
    ...rows.map(([title, value]) => `  ${title.padEnd(18)} ${value.padStart(12)}`),
  ];
}
