import type { NotificationEvent, Notifier, Severity } from "@comeback/core";

/** A channel of the configuration, with what sends through it. */
export interface Channel {
  readonly name: string;
  readonly notifier: Notifier;
  /** All if not given. */
  readonly events?: readonly NotificationEvent[] | undefined;
  /** What is less severe is left out. */
  readonly severity: Severity;
  /** The same problem is not told again before, in milliseconds. */
  readonly repeatAfter: number;
  /** The trigger of its digests, where it has no single messages. */
  readonly digest?: string | undefined;
}

/** A check counts its pings: each is one, none is kept, and none comes late. */
export function isStateMonitor({ notifier }: Pick<Channel, "notifier">): boolean {
  return notifier.kind === "ping";
}
