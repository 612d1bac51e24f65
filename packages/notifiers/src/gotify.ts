import type { Notifier } from "@comeback/core";
import { cutText } from "./cut-text.ts";
import type { NotifierWorld, SecretText } from "./notifier-world.ts";
import { bodyText, oneLine } from "./render-text.ts";
import { channelNotifier, jsonOf } from "./sending.ts";

const TITLE_MAX_CHARS = 250;
const MESSAGE_MAX_CHARS = 8192;
/** Its apps stay silent below 4, and are loud from 8 on. */
const PRIORITIES = { info: 2, warning: 5, error: 8 } as const;

export function gotifyNotifier(
  settings: { readonly server: string; readonly token: SecretText },
  world: NotifierWorld,
): Notifier {
  return channelNotifier("gotify", world, async (notification, sending) => {
    const token = await sending.secret(settings.token);
    const title = cutText(oneLine(notification.title), TITLE_MAX_CHARS);
    const answer = await sending.call({
      url: `${settings.server.replace(/\/+$/, "")}/message`,
      headers: { "x-gotify-key": token },
      json: {
        title,
        message: cutText(bodyText(notification), MESSAGE_MAX_CHARS) || title,
        priority: PRIORITIES[notification.severity],
        extras: { "client::display": { contentType: "text/plain" } },
      },
    });
    if (answer.isOk) return;
    const { errorDescription } = jsonOf(answer.text) ?? {};
    const isForbidden = answer.status === 401 || answer.status === 403;
    throw sending.refused(answer, {
      says: typeof errorDescription === "string" ? errorDescription : undefined,
      next: isForbidden ? "check `token`: it is an application's, not a client's" : undefined,
    });
  });
}
