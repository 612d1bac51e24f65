import {
  type Notification,
  NOTIFY_KEPT_LINE_MAX_CHARS,
  NOTIFY_KEPT_LINES_MAX,
  NOTIFY_KEPT_MAX,
  NOTIFY_TOLD_MAX,
} from "@comeback/core";

/** Messages that wait, oldest first, and how many had to go for want of room. */
export interface Waiting {
  readonly messages: readonly Notification[];
  readonly dropped: number;
}

export interface Told {
  readonly key: string;
  readonly atMs: number;
  /** Left out since then. */
  readonly repeats: number;
}

/** What a channel remembers between runs; a note of the catalog. */
export interface ChannelState {
  /** Problems that were told, oldest first. */
  readonly told: readonly Told[];
  /** Plans whose last end that was told here was no good one. */
  readonly open: Readonly<Record<string, "failed" | "warning">>;
  /** What could not be delivered. */
  readonly kept: Waiting;
  readonly keptTriedAtMs: number | undefined;
  /** What waits for the next digest. */
  readonly digest: Waiting;
  /** The moment up to which digests were sent. */
  readonly digestFromMs: number | undefined;
}

export const NOTHING: Waiting = { messages: [], dropped: 0 };

export const NEW_STATE: ChannelState = {
  told: [],
  open: {},
  kept: NOTHING,
  keptTriedAtMs: undefined,
  digest: NOTHING,
  digestFromMs: undefined,
};

/** What is no state of ours counts as none: at worst, something is told twice. */
export function parseState(text: string | undefined): ChannelState {
  if (text === undefined) return NEW_STATE;
  try {
    const given = JSON.parse(text) as Partial<ChannelState> & { readonly version?: number };
    return given.version === 1 ? { ...NEW_STATE, ...given } : NEW_STATE;
  } catch {
    return NEW_STATE;
  }
}

export function stateText(state: ChannelState): string {
  return JSON.stringify({ version: 1, ...state, told: state.told.slice(-NOTIFY_TOLD_MAX) });
}

export function isWaiting({ messages, dropped }: Waiting): boolean {
  return messages.length > 0 || dropped > 0;
}

/** Adds messages, each shortened; where there are too many, the oldest are only counted. */
export function addWaiting(
  { messages, dropped }: Waiting,
  added: Waiting | readonly Notification[],
): Waiting {
  const more: Waiting = "messages" in added ? added : { messages: added, dropped: 0 };
  const all = [...messages, ...more.messages].toSorted((a, b) => a.atMs - b.atMs);
  const kept = all.slice(-NOTIFY_KEPT_MAX).map(shortened);
  return { messages: kept, dropped: dropped + more.dropped + all.length - kept.length };
}

function shortened(notification: Notification): Notification {
  const { lines } = notification;
  const cut = (text: string): string =>
    text.length > NOTIFY_KEPT_LINE_MAX_CHARS
      ? `${text.slice(0, NOTIFY_KEPT_LINE_MAX_CHARS).toWellFormed()}…`
      : text;
  const shown = lines.slice(0, NOTIFY_KEPT_LINES_MAX).map(cut);
  if (lines.length > shown.length) shown.push("…");
  return { ...notification, title: cut(notification.title), lines: shown };
}
