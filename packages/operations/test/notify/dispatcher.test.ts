import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Notification,
  NOTIFY_ATTEMPTS_MAX,
  NOTIFY_BRIEF_MAX_MS,
  NOTIFY_KEPT_MAX,
  NOTIFY_KEPT_RETRY_MS,
  NOTIFY_TOTAL_MAX_MS,
} from "@comeback/core";
import { MemoryCatalog, sampleNotification, SimulatedClock } from "@comeback/testkit";
import { type ChannelReport, NotificationDispatcher } from "@comeback/operations";
import { failure, FakeChannel } from "./fake-channel.ts";

const HOUR_MS = 3_600_000;
const { signal } = new AbortController();

/** A dispatcher over a catalog, which another one may go on with. */
class Scene {
  readonly clock: SimulatedClock = new SimulatedClock(Date.UTC(2026, 10, 28, 2, 0, 0));
  readonly catalog: MemoryCatalog = new MemoryCatalog();
  readonly channels: FakeChannel[];

  constructor(...channels: FakeChannel[]) {
    this.channels = channels;
  }

  /** As a process of its own would have it: nothing is remembered but in the catalog. */
  dispatcher(
    catalog: ConstructorParameters<typeof NotificationDispatcher>[0]["catalog"] = this.catalog,
  ): NotificationDispatcher {
    return new NotificationDispatcher({
      channels: this.channels,
      catalog,
      clock: this.clock,
      host: "web1",
      timezone: "Europe/Vienna",
      exclusively: (work) => work(),
    });
  }

  tell(given: Partial<Notification> = {}, names?: readonly string[]): Promise<ChannelReport[]> {
    const all = names ?? this.channels.map(({ name }) => name);
    const notification = { ...message(given.event), atMs: this.clock.now(), ...given };
    return this.dispatcher().tell(all, notification, { signal });
  }

  /** The same, with all the time that its retries take. */
  async tellSlowly(given: Partial<Notification> = {}): Promise<ChannelReport[]> {
    const telling = this.tell(given);
    await this.clock.advance(3 * NOTIFY_TOTAL_MAX_MS);
    return telling;
  }
}

function message(event: Notification["event"] = "run.failed"): Notification {
  const severity = event === "run.failed" ? "error" : event === "run.warning" ? "warning" : "info";
  const title = `shop ${event.slice(4)}`;
  return sampleNotification({ event, severity, title, facts: { cause: "capture/db/x" } });
}

test("a channel gets the events and severities that it wants", async () => {
  const all = new FakeChannel("all");
  const errors = new FakeChannel("errors", { severity: "error" });
  const starts = new FakeChannel("starts", { events: ["run.started"] });
  const none = new FakeChannel("none", { events: [] });
  const scene = new Scene(all, errors, starts, none);
  const reports = await scene.tell({ event: "run.started", severity: "info", title: "start" });
  assert.deepEqual(
    reports.map(({ outcome }) => outcome),
    ["sent", "left-out", "sent", "left-out"],
  );
  await scene.tell({ event: "run.failed" });
  assert.deepEqual([all.sent.length, errors.sent.length, starts.sent.length], [2, 1, 1]);
});

test("only the channels that were named are told", async () => {
  const [one, two] = [new FakeChannel("one"), new FakeChannel("two")];
  await new Scene(one, two).tell({}, ["two", "unknown"]);
  assert.deepEqual([one.sent.length, two.sent.length], [0, 1]);
});

test("the same problem is told once in its time, then with how often it came again", async () => {
  const channel = new FakeChannel("ops");
  const scene = new Scene(channel);
  for (let i = 0; i < 3; i++) {
    await scene.tell();
    await scene.clock.advance(HOUR_MS);
  }
  assert.equal(channel.sent.length, 1);
  await scene.clock.advance(HOUR_MS);
  await scene.tell();
  assert.equal(channel.sent.length, 2);
  assert.match(channel.sent[1]?.lines.at(-1) ?? "", /the same happened 2 times since/);
  await scene.clock.advance(4 * HOUR_MS);
  await scene.tell();
  assert.doesNotMatch(channel.sent[2]?.lines.join("\n") ?? "", /the same happened/);
});

test("another cause, plan or event is another problem", async () => {
  const channel = new FakeChannel("ops");
  const scene = new Scene(channel);
  await scene.tell();
  await scene.tell({ facts: { cause: "capture/content/x" } });
  await scene.tell({ plan: "wiki" });
  await scene.tell({ event: "schedule.missed", severity: "warning" });
  assert.equal(channel.sent.length, 4);
  await scene.tell();
  assert.equal(channel.sent.length, 4);
});

test("starts and good ends are news each time; and a clock set back silences nobody", async () => {
  const channel = new FakeChannel("ops");
  const scene = new Scene(channel);
  for (let i = 0; i < 2; i++) await scene.tell({ event: "run.ok", severity: "info" });
  for (let i = 0; i < 2; i++) await scene.tell({ event: "run.started", severity: "info" });
  assert.equal(channel.sent.length, 4);
  await scene.tell();
  await scene.clock.advance(-HOUR_MS);
  await scene.tell();
  assert.equal(channel.sent.length, 6);
});

test("a check gets each ping, however often it is the same", async () => {
  const channel = new FakeChannel("check", { kind: "ping" });
  const scene = new Scene(channel);
  for (let i = 0; i < 3; i++) await scene.tell();
  assert.equal(channel.sent.length, 3);
});

test("the end of a failure is told to all who were told of it, and what fails then is new", async () => {
  const errors = new FakeChannel("errors", { severity: "error", events: ["run.failed"] });
  const scene = new Scene(errors);
  await scene.tell({ event: "run.ok", severity: "info" });
  assert.equal(errors.sent.length, 0, "nothing had failed");
  await scene.tell();
  await scene.tell({ event: "run.ok", severity: "info", plan: "wiki" });
  assert.equal(errors.sent.length, 1, "another plan's end");
  await scene.tell({ event: "run.ok", severity: "info" });
  await scene.tell({ event: "run.ok", severity: "info" });
  await scene.tell();
  assert.deepEqual(errors.titles, ["shop failed", "shop is ok again on web1", "shop failed"]);
});

test("a failure that becomes a warning is told, too", async () => {
  const errors = new FakeChannel("errors", { severity: "error" });
  const scene = new Scene(errors);
  await scene.tell();
  await scene.tell({ event: "run.warning", severity: "warning" });
  await scene.tell({ event: "run.warning", severity: "warning" });
  await scene.tell({ event: "run.ok", severity: "info" });
  assert.deepEqual(errors.titles, ["shop failed", "shop warning", "shop is ok again on web1"]);
});

test("what may help is tried again, with pauses that grow, until it is taken", async () => {
  const channel = new FakeChannel("ops");
  channel.failures = NOTIFY_ATTEMPTS_MAX - 1;
  channel.error = failure({ retryable: true });
  const scene = new Scene(channel);
  const [report] = await scene.tellSlowly();
  assert.equal(report?.outcome, "sent");
  assert.equal(channel.tries, NOTIFY_ATTEMPTS_MAX);
});

test("a pause that the far side asks for is kept, and one beyond all time is not waited for", async () => {
  const channel = new FakeChannel("ops");
  channel.failures = 1;
  channel.error = failure({ retryable: true, retryAfterMs: 60_000 });
  const scene = new Scene(channel);
  const telling = scene.tell();
  await scene.clock.advance(59_999);
  assert.equal(channel.tries, 1);
  await scene.clock.advance(1);
  assert.equal((await telling)[0]?.outcome, "sent");
  channel.failures = 1;
  channel.error = failure({ retryable: true, retryAfterMs: 10 * HOUR_MS });
  const [report] = await scene.tell({ plan: "wiki" });
  assert.equal(report?.outcome, "failed");
});

test("what would not help is not tried again", async () => {
  const channel = new FakeChannel("ops");
  channel.failures = 1;
  await new Scene(channel).tell();
  assert.equal(channel.tries, 1);
});

test("a channel that hangs is given up in time, and what it did not take is kept", async () => {
  const channel = new FakeChannel("ops");
  const scene = new Scene(channel);
  const hanging = {
    kind: "webhook",
    send: (_: Notification, either: AbortSignal) =>
      new Promise<void>((_resolve, reject) => {
        either.addEventListener("abort", () => reject(either.reason as Error));
      }),
  };
  const dispatcher = new NotificationDispatcher({
    channels: [{ name: "ops", severity: "info", repeatAfter: 0, notifier: hanging }],
    catalog: scene.catalog,
    clock: scene.clock,
    host: "web1",
    timezone: "UTC",
    exclusively: (work) => work(),
  });
  const telling = dispatcher.tell(["ops"], message(), { signal, brief: true });
  await scene.clock.advance(NOTIFY_BRIEF_MAX_MS);
  const [report] = await telling;
  assert.equal(report?.outcome, "failed");
  assert.equal(scene.clock.sleeping, 0, "a timer is left");
  await scene.tell({ plan: "wiki" });
  assert.match(channel.titles.join("\n"), /1 message of web1 that came too late/);
});

test("a channel that does not work is told of by the others, not by itself, and once", async () => {
  const [broken, well] = [new FakeChannel("broken"), new FakeChannel("well")];
  broken.failures = 1000;
  const scene = new Scene(broken, well);
  const reports = await scene.tell();
  assert.deepEqual(
    reports.map(({ outcome }) => outcome),
    ["failed", "sent"],
  );
  assert.deepEqual(well.titles, ["shop failed", "the channel broken of web1 does not work"]);
  const { lines, severity, event } = well.sent[1]!;
  assert.equal(`${event} ${severity}`, "channel.failed error");
  assert.match(
    lines.join("\n"),
    /the answer is 500[^]*next: see whether[^]*not told there: shop failed/,
  );
  await scene.tell({ plan: "wiki" });
  assert.equal(well.sent.length, 3, "it is told again and again");
});

test("where all that were named fail, another channel is told; where none works, nothing hangs", async () => {
  const [broken, other] = [new FakeChannel("broken"), new FakeChannel("other")];
  broken.failures = 1000;
  const scene = new Scene(broken, other);
  await scene.tell({}, ["broken"]);
  assert.deepEqual(other.titles, ["the channel broken of web1 does not work"]);
  other.failures = 1000;
  const reports = await scene.tell({ plan: "wiki" });
  assert.deepEqual(
    reports.map(({ outcome }) => outcome),
    ["failed", "failed"],
  );
});

test("what could not be delivered is told once the channel works again, oldest and newest", async () => {
  const channel = new FakeChannel("ops");
  channel.failures = 2;
  const scene = new Scene(channel);
  await scene.tell({ title: "first" });
  await scene.tell({ title: "second", plan: "wiki" });
  assert.equal(channel.sent.length, 0);
  await scene.tell({ title: "third", plan: "mail" });
  assert.deepEqual(channel.titles, ["third", "2 messages of web1 that came too late"]);
  const text = channel.sent[1]!.lines.join("\n");
  assert.match(text, /2026-11-28 03:00 second\n {2}capture db[^]*2026-11-28 03:00 first/);
  await scene.tell({ title: "fourth", plan: "x" });
  assert.equal(channel.sent.length, 3, "it is told twice");
});

test("it is told without anything new, too, after a while", async () => {
  const channel = new FakeChannel("ops");
  channel.failures = 1;
  const scene = new Scene(channel);
  await scene.tell({ title: "first" });
  await scene.dispatcher().flush(signal);
  assert.equal(channel.sent.length, 0, "at once");
  await scene.clock.advance(NOTIFY_KEPT_RETRY_MS);
  await scene.dispatcher().flush(signal);
  assert.deepEqual(channel.titles, ["1 message of web1 that came too late"]);
});

test("so many messages are kept, and the older ones counted", async () => {
  const channel = new FakeChannel("ops");
  channel.failures = NOTIFY_KEPT_MAX + 7;
  const scene = new Scene(channel);
  for (let i = 0; i < NOTIFY_KEPT_MAX + 7; i++) await scene.tell({ plan: `p${i}`, title: `t${i}` });
  await scene.tell({ plan: "last" });
  const late = channel.sent[1]!;
  assert.match(late.title, new RegExp(`^${NOTIFY_KEPT_MAX + 7} messages`));
  assert.match(late.lines.at(-1) ?? "", /^and 7 older/);
  assert.ok(!late.lines.join("\n").includes(" t6\n"));
});

test("a start that could not be told is no news later, and no ping comes late", async () => {
  const [ops, check] = [new FakeChannel("ops"), new FakeChannel("check", { kind: "ping" })];
  [ops.failures, check.failures] = [1, 2];
  const scene = new Scene(ops, check);
  const start = { ...message("run.started"), severity: "info" } as const;
  await scene.dispatcher().tell(["ops", "check"], start, { signal, brief: true });
  await scene.tell({ plan: "wiki" });
  assert.deepEqual([ops.sent.length, check.sent.length], [2, 0]);
  assert.match(ops.titles[1] ?? "", /the channel check of web1 does not work/);
  await scene.clock.advance(NOTIFY_KEPT_RETRY_MS);
  await scene.dispatcher().flush(signal);
  assert.deepEqual([ops.sent.length, check.sent.length], [2, 0]);
});

test("a digest has all that came, at its moment, and leaves out what is not wanted", async () => {
  const channel = new FakeChannel("mail", { digest: "daily 07:00", severity: "warning" });
  const scene = new Scene(channel);
  const reports = [
    await scene.tell(),
    await scene.tell({ event: "run.warning", severity: "warning" }),
  ];
  await scene.tell({ event: "run.started", severity: "info" });
  assert.deepEqual(
    reports.flat().map(({ outcome }) => outcome),
    ["collected", "collected"],
  );
  // 02:00 in UTC is 03:00 in Vienna.
  await scene.clock.advance(4 * HOUR_MS - 1);
  await scene.dispatcher().flush(signal);
  assert.equal(channel.sent.length, 0);
  await scene.clock.advance(1);
  await scene.dispatcher().flush(signal);
  await scene.dispatcher().flush(signal);
  assert.deepEqual(channel.titles, ["2 messages of web1"]);
  assert.equal(channel.sent[0]?.severity, "error");
  await scene.clock.advance(24 * HOUR_MS);
  await scene.dispatcher().flush(signal);
  assert.equal(channel.sent.length, 1, "an empty digest");
});

test("a digest that its own schedule asks for is sent then; what fails is kept", async () => {
  const channel = new FakeChannel("mail", { digest: "daily 07:00" });
  const scene = new Scene(channel);
  assert.equal(await scene.dispatcher().sendDigest("mail", signal), undefined);
  await scene.tell();
  channel.failures = 1;
  assert.equal((await scene.dispatcher().sendDigest("mail", signal))?.outcome, "failed");
  await scene.clock.advance(NOTIFY_KEPT_RETRY_MS);
  await scene.dispatcher().flush(signal);
  assert.equal(channel.sent.length, 1);
  assert.equal(await scene.dispatcher().sendDigest("none", signal), undefined);
});

test("without a catalog that works, messages are sent all the same", async () => {
  const channel = new FakeChannel("ops");
  const scene = new Scene(channel);
  const broken = {
    readNote: () => Promise.reject(new Error("disk full")),
    saveNote: () => Promise.reject(new Error("disk full")),
  };
  const [report] = await scene.dispatcher(broken).tell(["ops"], message(), { signal });
  assert.equal(report?.outcome, "sent");
  const readOnly = { ...broken, readNote: () => Promise.resolve("{ no state }") };
  await scene.dispatcher(readOnly).tell(["ops"], message(), { signal });
  assert.equal(channel.sent.length, 2);
});

test("an interruption ends the tries, and what was not delivered is kept", async () => {
  const channel = new FakeChannel("ops");
  channel.failures = 1;
  channel.error = failure({ retryable: true });
  const scene = new Scene(channel);
  const stop = new AbortController();
  const telling = scene.dispatcher().tell(["ops"], message(), { signal: stop.signal });
  await scene.clock.advance(0);
  stop.abort(new Error("enough"));
  assert.equal((await telling)[0]?.outcome, "failed");
  await scene.tell({ plan: "wiki" });
  assert.equal(channel.sent.length, 2);
});

test("a test is sent whatever the channel wants, once, and is remembered nowhere", async () => {
  const channel = new FakeChannel("ops", { events: [], severity: "error", digest: "daily 07:00" });
  const scene = new Scene(channel);
  const asked = sampleNotification({ event: "test", severity: "info" });
  const report = await scene.dispatcher().test("ops", asked, signal);
  assert.equal(report.outcome, "sent");
  channel.failures = 1;
  channel.error = failure({ retryable: true });
  assert.equal((await scene.dispatcher().test("ops", asked, signal)).outcome, "failed");
  assert.equal(channel.tries, 2);
  assert.equal(await scene.catalog.readNote("notify/web1/ops"), undefined);
});
