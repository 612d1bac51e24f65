import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ComebackError, isComebackError, NOTIFY_TIMEOUT_MS } from "@comeback/core";
import { type MakeNotifier, sampleNotification, type NotifierFixture } from "./fixture.ts";

export { sampleNotification } from "./fixture.ts";
export type { FarSide, MakeNotifier, NotifierFixture } from "./fixture.ts";

const MARKUP =
  '<b>a</b> <i *b* _c_ ~d~ `e` [f](http://g) <@1> <!channel> &lt; "h" @everyone \\ |i|';
const { signal } = new AbortController();

/** Holds a notifier to every clause of the contract of `Notifier` in core. */
export function notifierConformance(name: string, make: MakeNotifier): void {
  describe(`notifier contract: ${name}`, () => {
    testSending(make);
    testRefusals(make);
    testEnding(make);
  });
}

function testSending(make: MakeNotifier): void {
  test("a message arrives, once, with its title and its lines", async () => {
    await using fixture = await make();
    const sent = sampleNotification();
    await fixture.notifier.send(sent, signal);
    const shown = await fixture.shown();
    assert.equal(shown.length, 1);
    const [text = ""] = shown;
    assert.ok(text.includes(sent.title), text);
    if (fixture.showsTitleOnly) return;
    for (const line of sent.lines) assert.ok(text.includes(line), `${line}: ${text}`);
  });

  test("a message without lines and facts arrives", async () => {
    await using fixture = await make();
    await fixture.notifier.send(sampleNotification({ lines: [], facts: {} }), signal);
    assert.match((await fixture.shown())[0] ?? "", /shop failed on web1/);
  });

  test("what looks like markup is shown as it is", async () => {
    await using fixture = await make();
    await fixture.notifier.send(sampleNotification({ title: MARKUP, lines: [MARKUP] }), signal);
    const [shown = ""] = await fixture.shown();
    const count = shown.split(MARKUP).length - 1;
    assert.ok(count >= (fixture.showsTitleOnly ? 1 : 2), shown);
  });

  test("long text is cut, visibly, whatever it is of", async () => {
    for (const character of ["x", "é", "😀", "&", "*", '"']) {
      await using fixture = await make();
      const line = character.repeat(60_000);
      await fixture.notifier.send(sampleNotification({ title: line, lines: [line, line] }), signal);
      const [shown = ""] = await fixture.shown();
      assert.match(shown, /… \(cut\)/, `${character}: ${shown.slice(0, 100)}`);
      assert.ok(shown.isWellFormed(), `half a ${character} is left`);
    }
  });

  test("line breaks and control characters break nothing out of their place", async () => {
    await using fixture = await make();
    const title = "one\r\nBcc: all@example.com\r\n\r\ntwo\0\u001B[2J";
    await fixture.notifier.send(sampleNotification({ title, lines: ["three\r\nfour\0"] }), signal);
    const [shown = ""] = await fixture.shown();
    assert.match(shown, /one {1,2}Bcc: all@example\.com {1,4}two/);
    assert.doesNotMatch(shown, /[\0\u001B]/);
  });
}

function testRefusals(make: MakeNotifier): void {
  test("a busy far side may be asked again, and when", async () => {
    await using fixture = await make();
    fixture.next("busy");
    const error = await failure(fixture);
    assert.equal(error.retryable, true);
    assert.equal(error.context["retryAfterMs"], fixture.busyForMs);
  });

  test("a broken far side may be asked again", async () => {
    await using fixture = await make();
    fixture.next("broken");
    assert.equal((await failure(fixture)).retryable, true);
    await fixture.notifier.send(sampleNotification(), signal);
    assert.equal((await fixture.shown()).length, 1);
  });

  test("what is refused is not sent again, and names no secret", async () => {
    await using fixture = await make();
    fixture.next("refusing");
    const error = await failure(fixture);
    if (fixture.tellsWhy !== false) assert.equal(error.retryable, false);
  });
}

function testEnding(make: MakeNotifier): void {
  test("a silent far side is waited for so long, and may be asked again", async () => {
    await using fixture = await make();
    fixture.next("silent");
    const arrival = fixture.arrival();
    const failed = failure(fixture);
    await arrival;
    await fixture.clock.advance(NOTIFY_TIMEOUT_MS);
    const error = await failed;
    assert.equal(error.retryable, true);
    assert.match(error.why ?? "", /within 30 seconds/);
  });

  test("an abort ends it with its reason, before and while it is sent", async () => {
    await using fixture = await make();
    const reason = new Error("enough");
    const isReason = (error: unknown): boolean => error === reason;
    const aborted = AbortSignal.abort(reason);
    await assert.rejects(fixture.notifier.send(sampleNotification(), aborted), isReason);
    const stop = new AbortController();
    fixture.next("silent");
    const arrival = fixture.arrival();
    const sending = assert.rejects(
      fixture.notifier.send(sampleNotification(), stop.signal),
      isReason,
    );
    await arrival;
    stop.abort(reason);
    await sending;
    assert.equal(fixture.clock.sleeping, 0, "a timer is left");
  });
}

/** The error of a message that fails: one of ours, with what to do next, and without a secret. */
async function failure(fixture: NotifierFixture): Promise<ComebackError> {
  const error: unknown = await fixture.notifier.send(sampleNotification(), signal).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(isComebackError(error, "notify.failed"), `rejected with ${String(error)}`);
  assert.ok(error.next, "what to do next?");
  assert.ok(error.why, "why?");
  for (const secret of fixture.secrets) assertAbsent(error, secret);
  return error;
}

function assertAbsent(error: ComebackError, secret: string): void {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    const { message, stack = "" } = each;
    const { why, next, context } = each as ComebackError;
    const all = [message, stack, why, next, JSON.stringify(context)].join("\n");
    assert.ok(!all.includes(secret), `${secret} is in: ${all}`);
  }
}
