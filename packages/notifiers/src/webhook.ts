import { createHmac } from "node:crypto";
import type { Notification, Notifier } from "@comeback/core";
import { cutText } from "./cut-text.ts";
import type { NotifierWorld, SecretText } from "./notifier-world.ts";
import { oneLine, textLines } from "./render-text.ts";
import { channelNotifier } from "./sending.ts";

const TITLE_MAX_CHARS = 500;
const LINE_MAX_CHARS = 2000;
const LINES_MAX = 50;

/** A POST of JSON, signed where there is a key (docs/reference/notifications.md). */
export function webhookNotifier(
  settings: {
    readonly url: SecretText;
    readonly key: SecretText | undefined;
    readonly headers: Readonly<Record<string, SecretText>>;
  },
  world: NotifierWorld,
): Notifier {
  return channelNotifier("webhook", world, async (notification, sending) => {
    const url = await sending.secret(settings.url);
    const key = settings.key && (await sending.secret(settings.key));
    const headers: Record<string, string> = { "content-type": "application/json; charset=utf-8" };
    for (const [name, value] of Object.entries(settings.headers)) {
      headers[name.toLowerCase()] = await sending.secret(value);
    }
    const text = JSON.stringify(bodyOf(notification));
    if (key !== undefined) {
      headers["x-comeback-signature"] = sign({ key, text, nowMs: world.clock.now() });
    }
    const answer = await sending.call({ url, headers, text });
    if (!answer.isOk) throw sending.refused(answer);
  });
}

/** "t=<seconds>,v1=<hex>": over both, so that nobody can send an old message again. */
function sign(signed: {
  readonly key: string;
  readonly text: string;
  readonly nowMs: number;
}): string {
  const seconds = Math.floor(signed.nowMs / 1000);
  const sum = createHmac("sha256", signed.key).update(`${seconds}.${signed.text}`).digest("hex");
  return `t=${seconds},v1=${sum}`;
}

function bodyOf(notification: Notification): object {
  const { event, severity, facts, host, plan, runId, atMs } = notification;
  const lines = textLines(notification);
  const shown = lines.slice(0, LINES_MAX).map((line) => cutText(line, LINE_MAX_CHARS));
  if (lines.length > LINES_MAX) shown.push(`… (cut: ${lines.length - LINES_MAX} more lines)`);
  return {
    version: 1,
    event,
    severity,
    title: cutText(oneLine(notification.title), TITLE_MAX_CHARS),
    lines: shown,
    facts,
    host,
    plan: plan ?? null,
    run: runId ?? null,
    time: new Date(atMs).toISOString(),
  };
}
