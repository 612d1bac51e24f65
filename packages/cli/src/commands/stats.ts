import { computeStats, type RepositoryStats, STATS_MODES, type StatsMode } from "@comeback/engine";
import { openSession } from "../opening/session.ts";
import { parseChoice } from "../options/parse-values.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../options/snapshot-filter.ts";
import type { CommandModule } from "../program.ts";
import { findSnapshots } from "../snapshots/find-snapshots.ts";
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
  raw-data           blobs as they are stored, and how well they are compressed`;

export const define: CommandModule["define"] = (command, run) => {
  addFilterOptions(
    command
      .description(DESCRIPTION)
      .argument("[snapshot...]", "ids, or `latest`; default: all snapshots"),
  )
    .option("--mode <mode>", "one of the four above", "restore-size")
    .action(
      run<StatsFlags>(async (context, flags, names) => {
        const { terminal, globals, env } = context;
        const mode = parseChoice("--mode", flags.mode, STATS_MODES);
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
        const stats = await computeStats({
          repository,
          snapshots,
          mode,
          signal,
          onSnapshot: (_, number) => (done = number - 1),
        });
        ticker.stop();
        terminal.print(globals.json ? JSON.stringify(stats) : renderStats(stats, mode).join("\n"));
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
