import {
  type CatalogStore,
  type Clock,
  type ComebackError,
  type Notification,
  NOTIFY_BRIEF_MAX_MS,
  NOTIFY_CHANNELS_IN_FLIGHT_MAX,
  NOTIFY_KEPT_RETRY_MS,
  NOTIFY_TOTAL_MAX_MS,
} from "@comeback/core";
import { Timetables } from "../schedule/timetable.ts";
import { type Channel, isStateMonitor } from "./channel.ts";
import {
  addWaiting,
  type ChannelState,
  isWaiting,
  NEW_STATE,
  NOTHING,
  parseState,
  stateText,
  type Waiting,
} from "./channel-state.ts";
import { decide } from "./decide.ts";
import { deliver, type DeliveryOptions } from "./deliver.ts";
import type { Exclusively } from "./state-lock.ts";
import { summaryOf } from "./summary-of.ts";

export interface DispatcherOptions {
  readonly channels: readonly Channel[];
  readonly catalog: Pick<CatalogStore, "readNote" | "saveNote">;
  readonly clock: Clock;
  readonly host: string;
  /** For times in digests, and their moments. */
  readonly timezone: string;
  readonly exclusively: Exclusively;
}

/** What became of a message at one channel. */
export interface ChannelReport {
  readonly channel: string;
  readonly kind: string;
  readonly outcome: "sent" | "left-out" | "collected" | "failed";
  /** Why it failed. */
  readonly error?: ComebackError;
}

export interface TellOptions {
  readonly signal: AbortSignal;
  /** Nobody may be kept waiting for it: seconds, and no word to others where it fails. */
  readonly brief?: boolean;
}

/**
 * Brings messages to channels: to those that want them, none twice, again where it failed. Never
 * rejects because of a channel or of the catalog: a run that went well stays one that went well.
 *
 * What could not be delivered is kept, and told before long; what a channel does not take is told
 * by the others.
 */
export class NotificationDispatcher {
  readonly #options: DispatcherOptions;
  readonly #timetables: Timetables = new Timetables();

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Tells the channels of these names; those that are not known are passed over. */
  async tell(
    names: readonly string[],
    notification: Notification,
    options: TellOptions,
  ): Promise<ChannelReport[]> {
    const channels = this.#options.channels.filter(({ name }) => names.includes(name));
    const reports = await inTurns(channels, (channel) =>
      this.#tellOne(channel, notification, options),
    );
    if (options.brief === true || options.signal.aborted) return reports;
    await this.#tellOthers(reports, notification, options);
    await this.flush(options.signal);
    return reports;
  }

  /** Sends a message as it is, once, whatever the channel wants: to see whether that works. */
  test(name: string, notification: Notification, signal: AbortSignal): Promise<ChannelReport> {
    const channel = this.#options.channels.find((one) => one.name === name)!;
    return this.#deliver(channel, notification, { signal, attemptsMax: 1 });
  }

  /** Sends what waits for a channel's digest, because its moment has come; nothing, if nothing does. */
  async sendDigest(name: string, signal: AbortSignal): Promise<ChannelReport | undefined> {
    const channel = this.#options.channels.find((one) => one.name === name);
    if (channel === undefined) return undefined;
    const digestFromMs = this.#options.clock.now();
    const waiting = await this.#change(channel, (state) => ({
      state: { ...state, digest: NOTHING, digestFromMs },
      result: state.digest,
    }));
    if (!isWaiting(waiting)) return undefined;
    return this.#sendSummary(channel, { waiting, kind: "digest" }, signal);
  }

  /**
   * Sends the digests whose moment has come, and what could not be delivered before. To be called
   * now and then; does nothing where nothing is due.
   */
  async flush(signal: AbortSignal): Promise<void> {
    await inTurns(this.#options.channels, (channel) => this.#flushOne(channel, signal));
  }

  async #tellOne(
    channel: Channel,
    notification: Notification,
    options: TellOptions,
  ): Promise<ChannelReport> {
    const nowMs = this.#options.clock.now();
    const verdict = await this.#change(channel, (state) => {
      const decision = decide(channel, state, { notification, nowMs });
      return { state: decision.state, result: decision.verdict };
    });
    if (verdict.kind !== "send") return this.#report(channel, verdict.kind);
    const report = await this.#deliver(channel, verdict.notification, options);
    if (report.outcome === "failed") await this.#keep(channel, verdict.notification);
    else await this.#sendKept(channel, options.signal);
    return report;
  }

  async #deliver(
    channel: Channel,
    notification: Notification,
    { brief, ...options }: TellOptions & Pick<DeliveryOptions, "attemptsMax">,
  ): Promise<ChannelReport> {
    const withinMs = brief === true ? NOTIFY_BRIEF_MAX_MS : NOTIFY_TOTAL_MAX_MS;
    const { clock } = this.#options;
    const error = await deliver(channel.notifier, notification, { clock, withinMs, ...options });
    return error === undefined
      ? this.#report(channel, "sent")
      : { ...this.#report(channel, "failed"), error };
  }

  #report({ name, notifier }: Channel, outcome: ChannelReport["outcome"]): ChannelReport {
    return { channel: name, kind: notifier.kind, outcome };
  }

  /** That a run began is no news once it has ended; a late ping would be a lie. */
  async #keep(channel: Channel, notification: Notification): Promise<void> {
    if (isStateMonitor(channel) || notification.event === "run.started") return;
    await this.#keepAll(channel, addWaiting(NOTHING, [notification]));
  }

  async #keepAll(channel: Channel, waiting: Waiting): Promise<void> {
    const keptTriedAtMs = this.#options.clock.now();
    await this.#change(channel, (state) => ({
      state: { ...state, kept: addWaiting(state.kept, waiting), keptTriedAtMs },
      result: undefined,
    }));
  }

  async #sendKept(channel: Channel, signal: AbortSignal): Promise<void> {
    // Taken out first: nobody else sends it, too.
    const kept = await this.#change(channel, (state) => ({
      state: isWaiting(state.kept) ? { ...state, kept: NOTHING } : state,
      result: state.kept,
    }));
    if (isWaiting(kept)) await this.#sendSummary(channel, { waiting: kept, kind: "late" }, signal);
  }

  async #sendSummary(
    channel: Channel,
    { waiting, kind }: { readonly waiting: Waiting; readonly kind: "digest" | "late" },
    signal: AbortSignal,
  ): Promise<ChannelReport> {
    const { host, timezone, clock } = this.#options;
    const summary = summaryOf(waiting, { kind, host, timezone, nowMs: clock.now() });
    const report = await this.#deliver(channel, summary, { signal });
    if (report.outcome === "failed") await this.#keepAll(channel, waiting);
    return report;
  }

  async #flushOne(channel: Channel, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const nowMs = this.#options.clock.now();
    const due = await this.#change(channel, (state) => this.#takeDue(channel, state, nowMs));
    if (due.late) await this.#sendKept(channel, signal);
    if (isWaiting(due.digest)) {
      await this.#sendSummary(channel, { waiting: due.digest, kind: "digest" }, signal);
    }
  }

  #takeDue(
    channel: Channel,
    state: ChannelState,
    nowMs: number,
  ): Changed<{ readonly late: boolean; readonly digest: Waiting }> {
    const { kept, keptTriedAtMs = 0, digestFromMs } = state;
    const late = isWaiting(kept) && Math.abs(nowMs - keptTriedAtMs) >= NOTIFY_KEPT_RETRY_MS;
    const nothing = { late, digest: NOTHING };
    if (channel.digest === undefined) {
      // It had digests once; what was collected for them is not lost.
      if (!isWaiting(state.digest)) return { state, result: nothing };
      return { state: { ...state, digest: NOTHING }, result: { late, digest: state.digest } };
    }
    if (digestFromMs === undefined || digestFromMs > nowMs) {
      return { state: { ...state, digestFromMs: nowMs }, result: nothing };
    }
    const timetable = this.#timetables.of(channel.digest, this.#options.timezone);
    const nextMs = timetable.nextAfter(digestFromMs);
    if (nextMs === undefined || nextMs > nowMs) return { state, result: nothing };
    const { digest } = state;
    return {
      state: { ...state, digest: NOTHING, digestFromMs: nowMs },
      result: { late, digest },
    };
  }

  /** A channel that does not work is told of by those that do; by any other, where none is left. */
  async #tellOthers(
    reports: readonly ChannelReport[],
    notification: Notification,
    options: TellOptions,
  ): Promise<void> {
    const failed = reports.filter(({ outcome }) => outcome === "failed");
    if (failed.length === 0) return;
    const broken = new Set(failed.map(({ channel }) => channel));
    const named = new Set(reports.map(({ channel }) => channel));
    const working = this.#options.channels.filter(({ name }) => !broken.has(name));
    const near = working.filter(({ name }) => named.has(name));
    const others = near.length > 0 ? near : working;
    for (const { channel, error } of failed) {
      const news = this.#channelFailed(channel, error, notification);
      await inTurns(others, (other) => this.#tellOne(other, news, options));
    }
  }

  #channelFailed(
    channel: string,
    error: ComebackError | undefined,
    notification: Notification,
  ): Notification {
    const { host, clock } = this.#options;
    const why = [error?.message, error?.why].filter((part) => part !== undefined).join(": ");
    return {
      event: "channel.failed",
      // Whoever hears of errors only counts on being told of them.
      severity: "error",
      title: `the channel ${channel} of ${host} does not work`,
      lines: [
        why,
        ...(error?.next === undefined ? [] : [`next: ${error.next}`]),
        `not told there: ${notification.title}`,
        `see \`comeback notify test ${channel}\``,
      ],
      facts: { channel, host, cause: channel },
      host,
      atMs: clock.now(),
    };
  }

  /** Reads what a channel remembers, changes it, writes it; without a catalog it remembers nothing. */
  async #change<T>(channel: Channel, change: (state: ChannelState) => Changed<T>): Promise<T> {
    const { catalog, exclusively, host } = this.#options;
    const key = `notify/${host}/${channel.name}`;
    let result: { readonly value: T } | undefined;
    try {
      await exclusively(async () => {
        const before = parseState(await catalog.readNote(key));
        const changed = change(before);
        result = { value: changed.result };
        if (changed.state !== before) await catalog.saveNote(key, stateText(changed.state));
      });
    } catch {
      // The run says that its catalog does not work; here, the message is what matters.
    }
    return (result ?? { value: change(NEW_STATE).result }).value;
  }
}

interface Changed<T> {
  readonly state: ChannelState;
  readonly result: T;
}

/** A bounded number at the same time; results in the order of what they are of. */
async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const turn = async (): Promise<void> => {
    while (next < items.length) {
      const place = next++;
      results[place] = await work(items[place]!);
    }
  };
  const turns = Math.min(NOTIFY_CHANNELS_IN_FLIGHT_MAX, items.length);
  await Promise.all(Array.from({ length: turns }, turn));
  return results;
}
