import assert from "node:assert/strict";
import { test } from "node:test";
import type { ComebackError, NotificationEvent, Severity } from "@comeback/core";
import { systemCommandRunner } from "@comeback/platform";
import { sampleNotification, SimulatedClock, telegramFailure } from "@comeback/testkit";
import { makeNotifier } from "@comeback/notifiers";
import { channelFixture } from "./channel-fixture.ts";
import { CHANNELS } from "./channels-under-test.ts";

const { signal } = new AbortController();
const WORLD = { fetch, runner: systemCommandRunner, clock: new SimulatedClock() };

async function failureOf(sending: Promise<void>): Promise<ComebackError> {
  const error: unknown = await sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Error, "it did not fail");
  return error as ComebackError;
}

function channel(name: string): ReturnType<typeof channelFixture> {
  return channelFixture(CHANNELS[name]!);
}

test("telegram says what to do about each of its refusals", async () => {
  await using fixture = await channel("telegram");
  const cases = [
    [telegramFailure(401, "Unauthorized"), /Unauthorized/, /@BotFather/],
    [telegramFailure(400, "Bad Request: chat not found"), /chat not found/, /check `chat`/],
    [telegramFailure(403, "Forbidden: bot was kicked"), /bot was kicked/, /let the bot in again/],
    [
      telegramFailure(400, "Bad Request: group chat was upgraded", {
        migrate_to_chat_id: -100_123,
      }),
      /upgraded/,
      /chat: -100123/,
    ],
  ] as const;
  for (const [answer, why, next] of cases) {
    fixture.service.answerNext(answer);
    const error = await failureOf(fixture.notifier.send(sampleNotification(), signal));
    assert.match(error.why ?? "", why);
    assert.match(error.next ?? "", next);
    assert.equal(error.retryable, false);
  }
});

test("an answer that is no answer of Telegram counts as none", async () => {
  await using fixture = await channel("telegram");
  fixture.service.answerNext({ status: 200, body: "<html>log in to this network</html>" });
  const error = await failureOf(fixture.notifier.send(sampleNotification(), signal));
  assert.match(error.why ?? "", /the answer is 200: <html>/);
});

test("a redirect is not followed: a message goes nowhere else", async () => {
  await using fixture = await channel("webhook");
  await using elsewhere = await channel("webhook");
  const location = elsewhere.service.url;
  fixture.service.answerNext({ status: 307, headers: { location } });
  const error = await failureOf(fixture.notifier.send(sampleNotification(), signal));
  assert.match(error.next ?? "", /has moved to/);
  assert.equal(error.retryable, false);
  assert.equal(elsewhere.service.requests.length, 0);
});

test("the webhooks of Teams that were say 200 where they mean 429", async () => {
  await using fixture = await channel("teams");
  const body =
    "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429";
  fixture.service.answerNext({ status: 200, body });
  const error = await failureOf(fixture.notifier.send(sampleNotification(), signal));
  assert.match(error.why ?? "", /the answer is 429/);
  assert.equal(error.retryable, true);
});

test("name and password of an address go into a header, and into no error", async () => {
  await using fixture = await channel("ping of healthchecks.io");
  const address = fixture.service.url.replace("http://", "http://me:pass%20word@");
  const notifier = makeNotifier(
    { kind: "ping", settings: { url: `${address}/none` } },
    { ...WORLD, resolveSecret: () => Promise.reject(new Error("no secret is asked for")) },
  );
  const error = await failureOf(notifier.send(sampleNotification(), signal));
  const { authorization } = fixture.service.requests[0]!.headers;
  assert.equal(authorization, `Basic ${Buffer.from("me:pass word").toString("base64")}`);
  // Where nobody knows the check, healthchecks.io says OK all the same.
  assert.match(error.why ?? "", /404: OK \(not found\)/);
  assert.ok(!JSON.stringify({ ...error, why: error.why }).includes("word"));
});

test("an address that leads nowhere is told without what is secret in it", async () => {
  const notifier = makeNotifier(
    { kind: "slack", settings: { url: { name: "url" } } },
    { ...WORLD, resolveSecret: () => Promise.resolve("http://127.0.0.1:9/services/secret") },
  );
  const error = await failureOf(notifier.send(sampleNotification(), signal));
  assert.match(error.why ?? "", /ECONNREFUSED|bad port/);
  assert.ok(!`${error.message} ${error.why}`.includes("services/secret"));
});

test("a secret that is no address is told without it", async () => {
  const notifier = makeNotifier(
    { kind: "discord", settings: { url: { name: "url" } } },
    { ...WORLD, resolveSecret: () => Promise.resolve("not an address") },
  );
  const error = await failureOf(notifier.send(sampleNotification(), signal));
  assert.match(error.why ?? "", /its address is no URL/);
  assert.ok(!error.why?.includes("not an address"));
});

test("a secret that cannot be had ends it, with the error that says so", async () => {
  const reason = new Error("the variable HOOK is not set");
  const notifier = makeNotifier(
    { kind: "teams", settings: { url: { name: "url" } } },
    { ...WORLD, resolveSecret: () => Promise.reject(Object.assign(reason, { code: "ENOENT" })) },
  );
  const error = await failureOf(notifier.send(sampleNotification(), signal));
  assert.match(error.why ?? "", /the variable HOOK is not set/);
});

test("ntfy rings by severity", async () => {
  await using fixture = await channel("ntfy");
  const sent: [NotificationEvent, Severity][] = [
    ["run.started", "info"],
    ["run.ok", "info"],
    ["run.warning", "warning"],
    ["run.failed", "error"],
  ];
  for (const [event, severity] of sent) {
    await fixture.notifier.send(sampleNotification({ event, severity }), signal);
  }
  const bodies = fixture.service.requests.map(
    ({ body }) => JSON.parse(body) as { readonly priority: number; readonly tags: string[] },
  );
  assert.deepEqual(
    bodies.map(({ priority }) => priority),
    [2, 3, 4, 5],
  );
  assert.deepEqual(bodies.at(-1)?.tags, ["rotating_light"]);
});

test("a check is told of starts, ends and failures, and of all else for its log only", async () => {
  await using fixture = await channel("ping of healthchecks.io");
  const sent: [NotificationEvent, Severity][] = [
    ["run.started", "info"],
    ["run.ok", "info"],
    ["run.warning", "warning"],
    ["run.failed", "error"],
    ["run.skipped", "info"],
    ["schedule.missed", "warning"],
    ["undo.left-over", "error"],
    ["test", "info"],
  ];
  for (const [event, severity] of sent) {
    await fixture.notifier.send(sampleNotification({ event, severity }), signal);
  }
  const ends = fixture.service.requests.map(({ path }) => path.split("/")[2]?.split("?")[0] ?? "");
  assert.deepEqual(ends, ["start", "", "", "fail", "log", "log", "fail", "log"]);
  const runs = fixture.service.requests.map(({ path }) => /rid=(.*)$/.exec(path)?.[1]);
  assert.equal(runs[0], runs[3], "the pings of one run belong together");
  assert.ok(runs[0] !== undefined && runs[4] === undefined);
});

test("a monitor of Uptime Kuma is up or down, and is told how long it took", async () => {
  await using fixture = await channel("ping of Uptime Kuma");
  for (const event of ["run.started", "run.ok", "run.failed", "channel.failed"] as const) {
    const severity = event === "run.failed" ? "error" : "info";
    await fixture.notifier.send(sampleNotification({ event, severity }), signal);
  }
  const beats = fixture.service.requests.map(({ path }) => new URL(path, "http://x").searchParams);
  assert.deepEqual(
    beats.map((beat) => [beat.get("status"), beat.get("ping")]),
    [
      ["up", "192000"],
      ["down", "192000"],
    ],
  );
});

test("what a webhook gets is the whole message, for machines", async () => {
  await using fixture = await channel("webhook");
  const sent = sampleNotification();
  await fixture.notifier.send(sent, signal);
  const [request] = fixture.service.requests;
  const { headers, body } = request!;
  assert.deepEqual(JSON.parse(body), {
    version: 1,
    event: "run.failed",
    severity: "error",
    title: sent.title,
    lines: sent.lines,
    facts: sent.facts,
    host: "web1",
    plan: "shop",
    run: sent.runId,
    time: "2026-11-28T02:03:12.000Z",
  });
  assert.equal(headers["x-proxy"], "Bearer of-a-proxy");
  assert.equal(headers["x-plain"], "plain");
});

test("a header that cannot be sent is told by its name, without what was to be in it", async () => {
  for (const [name, value] of [
    ["X-Token", "secret\nvalue"],
    ["X-Token", "secret\u2013value"],
    ["X Token", "secret value"],
  ] as const) {
    const notifier = makeNotifier(
      {
        kind: "webhook",
        settings: { url: "http://127.0.0.1:9/", headers: { [name]: { name: "token" } } },
      },
      { ...WORLD, resolveSecret: () => Promise.resolve(value) },
    );
    const error = await failureOf(notifier.send(sampleNotification(), signal));
    assert.match(error.why ?? "", /the header x.token cannot be sent/);
    assert.equal(error.retryable, false);
  }
});
