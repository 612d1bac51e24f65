import type { Notification, Notifier } from "@comeback/core";
import { cutText } from "./cut-text.ts";
import { escapeHtml } from "./escape-html.ts";
import type { NotifierWorld, SecretText } from "./notifier-world.ts";
import { bodyText, oneLine } from "./render-text.ts";
import { type ChannelAnswer, channelNotifier, jsonOf, type Sending } from "./sending.ts";

/** Of a message, after its entities were taken out of it. */
const TEXT_MAX_CHARS = 4096;
const TITLE_MAX_CHARS = 256;

/** A bot of Telegram: `sendMessage` of the Bot API. */
export function telegramNotifier(
  settings: { readonly token: SecretText; readonly chat: string; readonly server: string },
  world: NotifierWorld,
): Notifier {
  return channelNotifier("telegram", world, async (notification, sending) => {
    const token = await sending.secret(settings.token);
    if (!/^[\w:-]+$/.test(token)) {
      throw sending.failed("its token is none", { next: "copy it from @BotFather once more" });
    }
    const answer = await sending.call({
      url: `${settings.server.replace(/\/+$/, "")}/bot${token}/sendMessage`,
      json: {
        chat_id: settings.chat,
        text: htmlOf(notification),
        parse_mode: "HTML",
        link_preview_options: { is_disabled: true },
        disable_notification: notification.severity === "info",
      },
    });
    if (!answer.isOk || jsonOf(answer.text)?.["ok"] !== true) throw refused(answer, sending);
  });
}

function htmlOf(notification: Notification): string {
  const title = cutText(oneLine(notification.title), TITLE_MAX_CHARS);
  const body = cutText(bodyText(notification), TEXT_MAX_CHARS - title.length - 2);
  const head = `<b>${escapeHtml(title)}</b>`;
  return body === "" ? head : `${head}\n\n${escapeHtml(body)}`;
}

function refused(answer: ChannelAnswer, sending: Sending): Error {
  const { description, parameters } = jsonOf(answer.text) ?? {};
  const { retry_after: seconds, migrate_to_chat_id: movedTo } = (parameters ?? {}) as {
    readonly retry_after?: unknown;
    readonly migrate_to_chat_id?: unknown;
  };
  return sending.refused(answer, {
    says: typeof description === "string" ? description : undefined,
    next: nextOf(answer.status, movedTo),
    retryAfterMs: typeof seconds === "number" ? seconds * 1000 : undefined,
  });
}

function nextOf(status: number, movedTo: unknown): string | undefined {
  if (typeof movedTo === "number")
    return `the group has become another: write \`chat: ${movedTo}\``;
  if (status === 400) return "check `chat`, and write to the bot once, or add it to the group";
  if (status === 401 || status === 404) return "check the bot's token: @BotFather shows it";
  if (status === 403) return "let the bot in again: it was blocked, or taken out of the chat";
  return undefined;
}
