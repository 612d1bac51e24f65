/** What people want to be told about, and what channels choose by. */
export const NOTIFICATION_EVENTS = [
  "run.started",
  "run.ok",
  "run.warning",
  "run.failed",
  "run.skipped",
  "schedule.missed",
  "undo.left-over",
  "channel.failed",
  "digest",
  "test",
] as const;
export type NotificationEvent = (typeof NOTIFICATION_EVENTS)[number];

export const SEVERITIES = ["info", "warning", "error"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** One message, the same for all channels; each puts it into its own form. Holds no secret. */
export interface Notification {
  readonly event: NotificationEvent;
  readonly severity: Severity;
  /** One line: "shop failed on web1". */
  readonly title: string;
  /** A few lines, the most important first; plain text. */
  readonly lines: readonly string[];
  /** Facts for machines, and for channels that show them in columns. */
  readonly facts: Readonly<Record<string, string | number>>;
  readonly host: string;
  readonly plan?: string;
  readonly runId?: string;
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
}

/**
 * Sends messages through one channel.
 *
 * - `send` resolves once the far side has taken the message, and rejects otherwise, within
 *   NOTIFY_TIMEOUT_MS and at an abort. It does not retry: whoever calls it does, and knows from
 *   `retryable` and `context.retryAfterMs` of the error whether and when that makes sense.
 * - What is too long for the channel is cut visibly, never refused. What the text holds is shown as
 *   text: nothing in it is taken for markup.
 * - No error names a token, a password or a URL that holds one.
 */
export interface Notifier {
  /** "telegram", "smtp" … */
  readonly kind: string;
  send(notification: Notification, signal: AbortSignal): Promise<void>;
}
