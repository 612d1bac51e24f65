import type { Notification, Notifier } from "@comeback/core";
import { cutText, utf8Bytes } from "./cut-text.ts";
import type { NotifierWorld, SecretText } from "./notifier-world.ts";
import { bodyText, oneLine } from "./render-text.ts";
import { channelNotifier, jsonOf } from "./sending.ts";

/** A longer message becomes an attachment, which nobody sees at a glance. */
const MESSAGE_MAX_BYTES = 4096;
const TITLE_MAX_BYTES = 250;

/** ntfy's levels: 2 makes no sound, 5 goes on until somebody looks. */
const PRIORITIES = { info: 3, warning: 4, error: 5 } as const;

export function ntfyNotifier(
  settings: {
    readonly server: string;
    readonly topic: SecretText;
    readonly token: SecretText | undefined;
  },
  world: NotifierWorld,
): Notifier {
  return channelNotifier("ntfy", world, async (notification, sending) => {
    const topic = await sending.secret(settings.topic);
    const token = settings.token && (await sending.secret(settings.token));
    const answer = await sending.call({
      url: settings.server,
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
      json: messageOf(notification, topic),
    });
    if (answer.isOk) return;
    const { error } = jsonOf(answer.text) ?? {};
    const isForbidden = answer.status === 401 || answer.status === 403;
    const next = "check `token`, and that it may write to this topic";
    throw sending.refused(answer, {
      says: typeof error === "string" ? error : undefined,
      next: isForbidden ? next : undefined,
    });
  });
}

function messageOf(notification: Notification, topic: string): object {
  const title = cutText(oneLine(notification.title), TITLE_MAX_BYTES, utf8Bytes);
  const body = cutText(bodyText(notification), MESSAGE_MAX_BYTES, utf8Bytes);
  return {
    topic,
    title,
    // Without any, ntfy would write "triggered".
    message: body === "" ? title : body,
    priority: notification.event === "run.started" ? 2 : PRIORITIES[notification.severity],
    tags: [tagOf(notification)],
  };
}

function tagOf({ event, severity }: Notification): string {
  if (severity === "error") return "rotating_light";
  if (severity === "warning") return "warning";
  return event === "run.ok" ? "white_check_mark" : "information_source";
}
