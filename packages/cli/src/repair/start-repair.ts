import type { RepairObserver } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";
import { RepairView } from "./repair-view.ts";

/** What a repair tells while it runs: its progress, its plan, its result. */
export interface RepairReport extends Disposable {
  readonly observer: RepairObserver;
  /** For a person. */
  show(lines: readonly string[]): void;
  /** The one document for a program. */
  message(json: string): void;
}

export function startRepair({ terminal, globals, env }: CommandContext): RepairReport {
  const quiet = globals.quiet || globals.json;
  const ticker = new ProgressTicker({ terminal, env, json: false, quiet });
  return {
    observer: { onStart: (progress) => ticker.start(new RepairView(progress)) },
    show(lines) {
      ticker.stop();
      if (!quiet) terminal.print(lines.join("\n"));
    },
    message(json) {
      if (globals.json) terminal.print(json);
    },
    [Symbol.dispose]() {
      ticker.stop();
    },
  };
}
