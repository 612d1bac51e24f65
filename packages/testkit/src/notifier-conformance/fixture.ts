import type { Notification, Notifier } from "@comeback/core";
import type { SimulatedClock } from "../simulated-clock.ts";

/** What the far side does with the next message. */
export type FarSide =
  /** It is too much for now: again in a while. */
  | "busy"
  /** It is broken for now. */
  | "broken"
  /** It does not want it, and says so in words that hold all that it was sent: secrets, too. */
  | "refusing"
  | "silent";

/** A channel and the far side of it, made for one test and disposed after it. */
export interface NotifierFixture extends AsyncDisposable {
  readonly notifier: Notifier;
  readonly clock: SimulatedClock;
  /** Texts that no error may hold. */
  readonly secrets: readonly string[];
  /** What has arrived, as people see it there, oldest first. */
  shown(): Promise<readonly string[]>;
  next(does: FarSide): void;
  /** Resolves when the next message is at the far side. */
  arrival(): Promise<void>;
  /** How long a busy far side asks to wait; `undefined` where it cannot say. */
  readonly busyForMs: number | undefined;
  /** False where only a failure can be seen, and not why. Default: true. */
  readonly tellsWhy?: false;
  /** True where only titles and what fits behind them are shown. */
  readonly showsTitleOnly?: true;
}

export type MakeNotifier = () => Promise<NotifierFixture>;

export function sampleNotification(given: Partial<Notification> = {}): Notification {
  return {
    event: "run.failed",
    severity: "error",
    title: "shop failed on web1",
    lines: ["capture db: the server does not answer; start it", "saved content to nas"],
    facts: { plan: "shop", host: "web1", run: "20261128-020000-4f2a", seconds: 192 },
    host: "web1",
    plan: "shop",
    runId: "20261128-020000-4f2a",
    atMs: Date.UTC(2026, 10, 28, 2, 3, 12),
    ...given,
  };
}
