import type { CopyProgress, CopyResult, Snapshot } from "@comeback/engine";
import { type ErrorReport, renderError } from "../render-error.ts";
import { shortId } from "../snapshots/render-snapshots.ts";
import { formatBytes, formatClock } from "../terminal/format-values.ts";
import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";
import { joinFitting, renderBar } from "../terminal/progress-bar.ts";
import type { ProgressView } from "../terminal/progress-ticker.ts";

/** How one of several repositories came out of a backup. */
export type DestinationOutcome =
  | {
      readonly ok: true;
      readonly label: string;
      /** None where nothing was to be saved. */
      readonly snapshot: Snapshot | undefined;
      /** What was copied into it; none for the one that the source was read for. */
      readonly copied?: CopyResult;
    }
  | { readonly ok: false; readonly label: string; readonly report: ErrorReport };

/** A line for a person; the error's lines where it failed. */
export function renderDestination(
  outcome: DestinationOutcome,
  palette: Palette,
  columns: number,
): string {
  const name = printableText(outcome.label);
  if (!outcome.ok) {
    const { report } = outcome;
    return renderError(
      { ...report, what: `not saved to ${name}: ${report.what}` },
      palette,
      columns,
    );
  }
  const { snapshot, copied } = outcome;
  const saved = snapshot === undefined ? "nothing to save" : `snapshot ${shortId(snapshot.id)}`;
  if (copied === undefined) return `${palette.green("saved to")} ${name}: ${saved}`;
  const wasThere =
    copied.skipped > 0 ? "it was there" : `${formatBytes(copied.bytesStored)} stored`;
  return `${palette.green("also saved to")} ${name}: ${saved}, ${wasThere}`;
}

/** The same for a program. */
export function destinationMessage(outcome: DestinationOutcome): string {
  const { ok, label: repository } = outcome;
  const head = { message_type: "destination", repository, ok };
  if (!outcome.ok) {
    const { exitCode, code, what, why } = outcome.report;
    const message = why === undefined ? what : `${what}: ${why}`;
    return JSON.stringify({ ...head, exit_code: exitCode, code, message });
  }
  const { snapshot, copied } = outcome;
  return JSON.stringify({
    ...head,
    ...(snapshot === undefined ? {} : { snapshot_id: snapshot.id }),
    ...(copied === undefined ? {} : { copied: true, bytes_stored: copied.bytesStored }),
  });
}

interface RunningCopy {
  readonly label: string;
  readonly progress: Readonly<CopyProgress>;
}

/** The copies into further repositories as they are shown while they run: a line for each. */
export class SeveralView implements ProgressView {
  readonly #running = new Map<string, RunningCopy>();
  readonly #startMs: number;
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#startMs = now();
  }

  add(label: string, progress: Readonly<CopyProgress>): void {
    this.#running.set(label, { label, progress });
  }

  remove(label: string): void {
    this.#running.delete(label);
  }

  lines(columns: number): string[] {
    return Array.from(this.#running.values(), ({ label, progress }) => {
      const { phase, bytesDone, bytesTotal } = progress;
      const share = phase === "trees" ? undefined : bytesTotal === 0 ? 1 : bytesDone / bytesTotal;
      const amount = `${formatBytes(bytesDone)} / ${formatBytes(bytesTotal)}`;
      return joinFitting([renderBar(share, columns), amount, printableText(label)], columns);
    });
  }

  logLine(): string {
    const parts = Array.from(this.#running.values(), ({ label, progress }) => {
      const { bytesDone, bytesTotal } = progress;
      return `${printableText(label)}: ${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`;
    });
    return `[${formatClock(this.#now() - this.#startMs)}] copying, ${parts.join("; ")}`;
  }
}
