import {
  type Clock,
  ComebackError,
  isComebackError,
  messageOf,
  type Notification,
  NOTIFY_ATTEMPTS_MAX,
  NOTIFY_RETRY_PAUSE_MS,
  type Notifier,
} from "@comeback/core";

export interface DeliveryOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** For all tries together, in milliseconds. */
  readonly withinMs: number;
  /** Default: NOTIFY_ATTEMPTS_MAX. */
  readonly attemptsMax?: number;
}

const PAUSE_GROWTH = 3;

/**
 * Sends a message, again where that may help, within its time. Resolves to why it could not be
 * delivered; never rejects, whatever the channel does.
 */
export async function deliver(
  notifier: Notifier,
  notification: Notification,
  { clock, signal, withinMs, attemptsMax = NOTIFY_ATTEMPTS_MAX }: DeliveryOptions,
): Promise<ComebackError | undefined> {
  const [over, done] = [new AbortController(), new AbortController()];
  const either = AbortSignal.any([signal, over.signal]);
  const endsAtMs = clock.now() + withinMs;
  let last: ComebackError | undefined;
  const timer = clock.sleep(withinMs, done.signal).then(
    () => over.abort(tooLate(notifier.kind, withinMs)),
    () => undefined,
  );
  try {
    for (let attempt = 1; ; attempt++) {
      last = await once(notifier, notification, either);
      if (last === undefined) return undefined;
      if (!last.retryable || attempt >= attemptsMax) return last;
      const asked = last.context["retryAfterMs"];
      const pauseMs = Math.max(
        NOTIFY_RETRY_PAUSE_MS * PAUSE_GROWTH ** (attempt - 1),
        typeof asked === "number" ? asked : 0,
      );
      if (clock.now() + pauseMs >= endsAtMs) return last;
      await clock.sleep(pauseMs, either);
    }
  } catch (error) {
    // The end of its time, or of whoever waits for it. What went wrong before says more.
    return last ?? asError(error, notifier.kind);
  } finally {
    done.abort();
    await timer;
  }
}

async function once(
  notifier: Notifier,
  notification: Notification,
  signal: AbortSignal,
): Promise<ComebackError | undefined> {
  try {
    await notifier.send(notification, signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return asError(error, notifier.kind);
  }
}

function asError(error: unknown, kind: string): ComebackError {
  if (isComebackError(error)) return error;
  return new ComebackError("notify.failed", `${kind} did not take the message`, {
    why: messageOf(error),
    next: "try it with `comeback notify test`",
  });
}

function tooLate(kind: string, withinMs: number): ComebackError {
  return new ComebackError("notify.failed", `${kind} did not take the message in time`, {
    why: `nothing more than ${Math.round(withinMs / 1000)} seconds was left for it`,
    next: "try it with `comeback notify test`; what is to be told is sent again",
    retryable: true,
  });
}
