import { ComebackError, type Notification } from "@comeback/core";
import type { NotificationDispatcher } from "@comeback/operations";

/**
 * Tells channels of a run. Rejects where one of them could not be told, once all have been tried:
 * the run makes a line of its log of that, and nothing else.
 */
export async function notifyChannels(
  dispatcher: NotificationDispatcher,
  names: readonly string[],
  { notification, signal }: { readonly notification: Notification; readonly signal: AbortSignal },
): Promise<void> {
  // Whoever interrupted the run waits for its end: there is a moment for the message, and no more.
  const isOver = signal.aborted;
  const reports = await dispatcher.tell(names, notification, {
    signal: isOver ? new AbortController().signal : signal,
    brief: isOver || notification.event === "run.started",
  });
  const failed = reports.filter(({ outcome }) => outcome === "failed");
  if (failed.length === 0) return;
  const [first] = failed;
  throw new ComebackError(
    "notify.failed",
    `${failed.map(({ channel }) => channel).join(", ")} could not be told`,
    {
      ...(first?.error === undefined
        ? {}
        : { why: [first.error.message, first.error.why].filter(Boolean).join(": ") }),
      next: `try \`comeback notify test ${first?.channel}\``,
    },
  );
}
