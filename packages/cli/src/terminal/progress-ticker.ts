import {
  PROGRESS_BAR_INTERVAL_MS,
  PROGRESS_JSON_INTERVAL_MS,
  PROGRESS_LOG_INTERVAL_MS,
  TOTALS_DELAY_MS,
} from "@comeback/core";
import type { Terminal } from "./terminal.ts";

/** One long-running thing, as it is shown while it runs. */
export interface ProgressView {
  /** Live lines for a terminal of so many columns. */
  lines(columns: number): string[];
  /** One line for a log. */
  logLine(): string;
  /** restic's status message; none where restic has none. */
  message?(): Readonly<Record<string, unknown>>;
}

export interface ProgressTickerOptions {
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly env: NodeJS.ProcessEnv;
}

const FRAMES_PER_SECOND_MAX = 60;

/** Milliseconds between updates, where the user asked for a rate as restic lets them. */
export function chosenIntervalMs(env: NodeJS.ProcessEnv): number | undefined {
  const text = env["COMEBACK_PROGRESS_FPS"] ?? env["RESTIC_PROGRESS_FPS"] ?? "";
  const framesPerSecond = Number(text);
  if (text === "" || !(framesPerSecond > 0)) return undefined;
  return 1000 / Math.min(framesPerSecond, FRAMES_PER_SECOND_MAX);
}

/** Shows a view at the right pace for where it is shown, until it is stopped. */
export class ProgressTicker implements Disposable {
  readonly #options: ProgressTickerOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProgressTickerOptions) {
    this.#options = options;
  }

  /** Shows this view from now on, in place of the one before. */
  start(view: ProgressView): void {
    this.stop();
    const { terminal, json, quiet } = this.#options;
    if (quiet) return;
    const show = json
      ? () => this.#printMessage(view)
      : terminal.isLive
        ? () => terminal.showStatus(view.lines(terminal.statusColumns))
        : () => terminal.print(view.logLine());
    this.#timer = setInterval(show, this.#intervalMs);
    this.#timer.unref();
  }

  /** When to begin counting what the view is to show as totals: early for a bar, later for a log. */
  get totalsAfterMs(): number {
    return Math.max(TOTALS_DELAY_MS, this.#intervalMs / 2);
  }

  get #intervalMs(): number {
    const { terminal, json, env } = this.#options;
    const usualMs = json
      ? PROGRESS_JSON_INTERVAL_MS
      : terminal.isLive
        ? PROGRESS_BAR_INTERVAL_MS
        : PROGRESS_LOG_INTERVAL_MS;
    return chosenIntervalMs(env) ?? usualMs;
  }

  /** Ends the updates and leaves nothing on the screen. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#options.terminal.clearStatus();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #printMessage(view: ProgressView): void {
    const message = view.message?.();
    if (message !== undefined) this.#options.terminal.print(JSON.stringify(message));
  }
}
