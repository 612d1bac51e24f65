import { displayText, type SourceProblem } from "@comeback/core";
import type { ArchivedItem, BackupObserver, BackupProgress } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { formatBytes } from "../terminal/format-values.ts";
import { printableName } from "../terminal/printable.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";
import { problemMessage, renderProblem } from "../terminal/render-problems.ts";
import {
  backupSummaryMessage,
  type FinishedBackup,
  renderBackupProblems,
  renderBackupSummary,
} from "./backup-summary.ts";
import { BackupView } from "./backup-view.ts";

/** restic's words for what happened to an entry. */
const ACTION_WORDS = { new: "new", changed: "modified", unmodified: "unchanged" } as const;

/** Shows a backup: live, in a log, or as JSON; and its end. */
export class BackupReporter implements Disposable {
  readonly #context: CommandContext;
  readonly #ticker: ProgressTicker;
  readonly #startMs: number = performance.now();
  #progress: Readonly<BackupProgress> | undefined;
  #scanReported = false;

  readonly #wantsTotals: boolean;

  constructor(context: CommandContext, options: { readonly wantsTotals: boolean }) {
    this.#context = context;
    this.#wantsTotals = options.wantsTotals && !context.globals.quiet;
    const { terminal, globals, env } = context;
    this.#ticker = new ProgressTicker({ terminal, env, json: globals.json, quiet: globals.quiet });
  }

  get observer(): BackupObserver {
    const namesItems = this.#context.globals.verbosity >= 2;
    return {
      totalsAfterMs: this.#wantsTotals ? this.#ticker.totalsAfterMs : undefined,
      onStart: (progress) => {
        this.#progress = progress;
        this.#ticker.start(new BackupView(progress));
      },
      onProblem: (problem) => this.#showProblem(problem),
      ...(namesItems ? { onItem: (item: ArchivedItem) => this.#showItem(item) } : {}),
    };
  }

  finish(finished: FinishedBackup): void {
    this.#ticker.stop();
    this.#reportScan(finished);
    const { terminal, globals } = this.#context;
    if (globals.json) {
      terminal.print(backupSummaryMessage(finished));
      return;
    }
    if (!globals.quiet) {
      terminal.print(renderBackupSummary(finished, terminal.palette).join("\n"));
    }
    const problems = renderBackupProblems(finished);
    if (problems.length > 0) terminal.printError(problems.join("\n"));
  }

  [Symbol.dispose](): void {
    this.#ticker.stop();
  }

  #showProblem(problem: SourceProblem): void {
    const { terminal, globals } = this.#context;
    terminal.printError(
      globals.json
        ? problemMessage(problem, "archival")
        : renderProblem(problem, terminal.errorPalette),
    );
  }

  #showItem(item: ArchivedItem): void {
    this.#reportScan();
    // As restic: files and folders are named; links, devices and the top itself are not.
    if (item.type === "other" || item.path === "" || item.path === "/") return;
    const { terminal, globals } = this.#context;
    if (globals.json) terminal.print(itemMessage(item));
    else terminal.print(renderItem(item));
  }

  /** With -vv, told once: when the source has been counted, at the latest by the backup itself. */
  #reportScan(finished?: FinishedBackup): void {
    const { terminal, globals } = this.#context;
    const progress = this.#progress;
    if (this.#scanReported || globals.verbosity < 2 || !globals.json || !this.#wantsTotals) return;
    if (progress?.totalsKnown !== true && finished === undefined) return;
    this.#scanReported = true;
    const seconds = (performance.now() - this.#startMs) / 1000;
    const files = finished?.result.summary.total_files_processed ?? progress?.filesTotal ?? 0;
    const bytes = finished?.result.summary.total_bytes_processed ?? progress?.bytesTotal ?? 0;
    terminal.print(scanMessage(seconds, files, bytes));
  }
}

function renderItem(item: ArchivedItem): string {
  const name = printableName(item.path) + (item.type === "dir" ? "/" : "");
  const word = ACTION_WORDS[item.action].padEnd(9);
  if (item.action === "unmodified") return `${word} ${name}`;
  const { dataAdded, dataAddedPacked } = item;
  return `${word} ${name} (${formatBytes(dataAdded)} added, ${formatBytes(dataAddedPacked)} stored)`;
}

/** restic's verbose_status message of one entry. */
export function itemMessage(item: ArchivedItem): string {
  const isFolder = item.type === "dir";
  const { dataAdded, dataAddedPacked } = item;
  return JSON.stringify({
    message_type: "verbose_status",
    action: ACTION_WORDS[item.action],
    item: displayText(item.path) + (isFolder ? "/" : ""),
    duration: 0,
    data_size: isFolder ? 0 : dataAdded,
    data_size_in_repo: isFolder ? 0 : dataAddedPacked,
    metadata_size: isFolder ? dataAdded : 0,
    metadata_size_in_repo: isFolder ? dataAddedPacked : 0,
    total_files: 0,
  });
}

function scanMessage(seconds: number, files: number, bytes: number): string {
  return JSON.stringify({
    message_type: "verbose_status",
    action: "scan_finished",
    item: "",
    duration: seconds,
    data_size: bytes,
    data_size_in_repo: 0,
    metadata_size: 0,
    metadata_size_in_repo: 0,
    total_files: files,
  });
}
