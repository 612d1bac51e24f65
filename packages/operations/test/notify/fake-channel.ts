import { ComebackError, type Notification, type Notifier } from "@comeback/core";
import type { Channel } from "@comeback/operations";

/** A channel whose far side is this object: it takes messages, or does what it is told to. */
export class FakeChannel implements Channel {
  readonly name: string;
  readonly severity: Channel["severity"];
  readonly repeatAfter: number;
  readonly events: Channel["events"];
  readonly digest: string | undefined;
  readonly notifier: Notifier;
  readonly sent: Notification[] = [];
  tries = 0;
  /** Fails so many tries, or all; with this error. */
  failures = 0;
  error: ComebackError = failure();

  constructor(name: string, given: Partial<Channel> & { readonly kind?: string } = {}) {
    this.name = name;
    this.severity = given.severity ?? "info";
    this.repeatAfter = given.repeatAfter ?? 4 * 3_600_000;
    this.events = given.events;
    this.digest = given.digest;
    this.notifier = {
      kind: given.kind ?? "webhook",
      send: (notification, signal) => this.#send(notification, signal),
    };
  }

  get titles(): string[] {
    return this.sent.map(({ title }) => title);
  }

  #send(notification: Notification, signal: AbortSignal): Promise<void> {
    this.tries++;
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.failures > 0) {
      this.failures--;
      return Promise.reject(this.error);
    }
    this.sent.push(notification);
    return Promise.resolve();
  }
}

export function failure(
  given: { readonly retryable?: boolean; readonly retryAfterMs?: number } = {},
): ComebackError {
  const { retryable = false, retryAfterMs } = given;
  return new ComebackError("notify.failed", "webhook did not take the message", {
    why: "the answer is 500",
    next: "see whether the service is well",
    retryable,
    context: retryAfterMs === undefined ? {} : { retryAfterMs },
  });
}
