import { createHash } from "node:crypto";
import type { Notification, Notifier } from "@comeback/core";
import { cutText, utf8Bytes } from "./cut-text.ts";
import type { NotifierWorld, SecretText } from "./notifier-world.ts";
import { bodyText, oneLine } from "./render-text.ts";
import { type ChannelAnswer, channelNotifier, type Sending } from "./sending.ts";

/** What a check is told: that a run began, was good, was bad; or a word for its log only. */
type Signal = "start" | "success" | "fail" | "log";

/** healthchecks.io keeps 100 kB; others less, and nobody reads more. */
const BODY_MAX_BYTES = 10_000;
const KUMA_MESSAGE_MAX_CHARS = 250;

/** Pings a check: healthchecks.io and what speaks like it, or a push monitor of Uptime Kuma. */
export function pingNotifier(
  settings: { readonly url: SecretText },
  world: NotifierWorld,
): Notifier {
  return channelNotifier("ping", world, async (notification, sending) => {
    const given = await sending.secret(settings.url);
    const signal = signalOf(notification);
    if (/\/api\/push\/[^/]+/.test(given))
      await pushToKuma(given, { notification, signal }, sending);
    else await pingCheck(given, { notification, signal }, sending);
  });
}

/** What is no end of a run changes no check's state, unless it is an error. */
function signalOf({ event, severity }: Notification): Signal {
  if (event === "run.started") return "start";
  if (event === "run.ok" || event === "run.warning") return "success";
  if (event === "test" || event === "channel.failed" || event === "digest") return "log";
  return event === "run.failed" || severity === "error" ? "fail" : "log";
}

const SUFFIXES: Readonly<Record<Signal, string>> = {
  start: "/start",
  success: "",
  fail: "/fail",
  log: "/log",
};

interface Ping {
  readonly notification: Notification;
  readonly signal: Signal;
}

async function pingCheck(
  given: string,
  { notification, signal }: Ping,
  sending: Sending,
): Promise<void> {
  const text = `${oneLine(notification.title)}\n${bodyText(notification)}`;
  const answer = await sending.call({
    url: checkUrl(given, signal, notification.runId),
    headers: { "content-type": "text/plain; charset=utf-8" },
    text: cutText(text, BODY_MAX_BYTES, utf8Bytes),
  });
  // healthchecks.io says OK to those that it does not know, or does not listen to now.
  const isUnknown = /^OK \(not found\)/i.test(answer.text);
  if (isUnknown) throw sending.refused({ ...answer, status: 404 }, { next: NO_CHECK });
  if (/^OK \(rate limited\)/i.test(answer.text)) throw sending.refused({ ...answer, status: 429 });
  throwUnlessOk(answer, sending);
}

const NO_CHECK = "copy the check's ping URL once more: nobody is there (any more)";

function checkUrl(given: string, signal: Signal, runId: string | undefined): string {
  if (!URL.canParse(given)) return given;
  const url = new URL(given);
  url.pathname = url.pathname.replace(/\/+$/, "") + SUFFIXES[signal];
  // Runs that overlap are told apart by it, and their times measured.
  if (runId !== undefined && signal !== "log") url.searchParams.set("rid", uuidOf(runId));
  return url.href;
}

/** The same for all pings of a run; version 8, as RFC 9562 has it for what is made of a hash. */
function uuidOf(runId: string): string {
  const bytes = createHash("sha256").update(runId).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** It knows up and down only: what is neither is not sent, but for a test. */
async function pushToKuma(
  given: string,
  { notification, signal }: Ping,
  sending: Sending,
): Promise<void> {
  const isTest = notification.event === "test";
  if (signal === "start" || (signal === "log" && !isTest)) return;
  if (!URL.canParse(given)) throw sending.failed("its address is no URL", { next: NO_CHECK });
  const url = new URL(given);
  const { seconds } = notification.facts;
  url.searchParams.set("status", signal === "fail" ? "down" : "up");
  url.searchParams.set("msg", cutText(oneLine(notification.title), KUMA_MESSAGE_MAX_CHARS));
  url.searchParams.set("ping", typeof seconds === "number" ? String(seconds * 1000) : "");
  throwUnlessOk(await sending.call({ url: url.href, method: "GET" }), sending);
}

function throwUnlessOk(answer: ChannelAnswer, sending: Sending): void {
  if (answer.isOk) return;
  const next = answer.status === 404 || answer.status === 410 ? NO_CHECK : undefined;
  throw sending.refused(answer, { next });
}
