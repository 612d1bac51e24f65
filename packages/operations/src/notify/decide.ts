import { type Notification, SEVERITIES } from "@comeback/core";
import { type Channel, isStateMonitor } from "./channel.ts";
import { addWaiting, type ChannelState } from "./channel-state.ts";

export type Verdict =
  | { readonly kind: "send"; readonly notification: Notification }
  /** By the channel's settings, or because the same was told not long ago. */
  | { readonly kind: "left-out" }
  | { readonly kind: "collected" };

export interface Decision {
  readonly verdict: Verdict;
  readonly state: ChannelState;
}

/** What a channel does with a message, and what it remembers of that. Does nothing. */
export function decide(
  channel: Channel,
  state: ChannelState,
  { notification, nowMs }: { readonly notification: Notification; readonly nowMs: number },
): Decision {
  if (notification.event === "test") return { verdict: { kind: "send", notification }, state };
  const isRecovery = endsTrouble(state, notification);
  if (!isRecovery && !isWanted(channel, notification)) return leftOut(state);
  const marked = withPlanState(state, notification);
  if (isRecovery) return hand(channel, forget(marked, notification), recovered(notification));
  // That a run began or went well is news each time; so is each ping of a check.
  if (notification.severity === "info" || isStateMonitor(channel)) {
    return hand(channel, marked, notification);
  }
  const key = keyOf(notification);
  const last = state.told.find((told) => told.key === key);
  const others = marked.told.filter((told) => told.key !== key);
  const ageMs = last === undefined ? Number.POSITIVE_INFINITY : nowMs - last.atMs;
  // A clock that was set back keeps nobody silent.
  if (last !== undefined && ageMs >= 0 && ageMs < channel.repeatAfter) {
    const counted = { ...last, repeats: last.repeats + 1 };
    return leftOut({ ...marked, told: [...others, counted] });
  }
  const told = [...others, { key, atMs: nowMs, repeats: 0 }];
  return hand(channel, { ...marked, told }, withRepeats(notification, last?.repeats ?? 0));
}

function leftOut(state: ChannelState): Decision {
  return { verdict: { kind: "left-out" }, state };
}

function hand(channel: Channel, state: ChannelState, notification: Notification): Decision {
  if (channel.digest === undefined) return { verdict: { kind: "send", notification }, state };
  const digest = addWaiting(state.digest, [notification]);
  return { verdict: { kind: "collected" }, state: { ...state, digest } };
}

function isWanted({ events, severity }: Channel, notification: Notification): boolean {
  const rank = (given: Notification["severity"]): number => SEVERITIES.indexOf(given);
  if (rank(notification.severity) < rank(severity)) return false;
  return events === undefined || events.includes(notification.event);
}

/** Whoever was told of a failure is told of its end, whatever else he wants to hear. */
function endsTrouble({ open }: ChannelState, { event, plan = "" }: Notification): boolean {
  const before = Object.hasOwn(open, plan) ? open[plan] : undefined;
  if (before === undefined) return false;
  return event === "run.ok" || (before === "failed" && event === "run.warning");
}

function withPlanState(state: ChannelState, { event, plan }: Notification): ChannelState {
  if (plan === undefined) return state;
  const { [plan]: _before, ...others } = state.open;
  if (event === "run.ok") return { ...state, open: others };
  if (event === "run.failed") return { ...state, open: { ...others, [plan]: "failed" } };
  if (event === "run.warning") return { ...state, open: { ...others, [plan]: "warning" } };
  return state;
}

/** The next failure is a new one. */
function forget(state: ChannelState, { plan }: Notification): ChannelState {
  const ended = ["run.failed", "run.warning"].map((event) => keyStart(event, plan));
  const told = state.told.filter(({ key }) => !ended.some((start) => key.startsWith(start)));
  return { ...state, told };
}

function recovered(notification: Notification): Notification {
  const { event, plan, host } = notification;
  if (event !== "run.ok") return notification;
  return { ...notification, title: `${plan} is ok again on ${host}` };
}

function withRepeats(notification: Notification, repeats: number): Notification {
  if (repeats === 0) return notification;
  const line = `the same happened ${repeats === 1 ? "once" : `${repeats} times`} since this was last told`;
  return { ...notification, lines: [...notification.lines, line] };
}

/** The same plan, event and cause; what has no cause of its own is told apart by its title. */
function keyOf({ event, plan, title, facts }: Notification): string {
  return `${keyStart(event, plan)}${facts["cause"] ?? title}`;
}

function keyStart(event: string, plan: string | undefined): string {
  return `${event}\n${plan ?? ""}\n`;
}
