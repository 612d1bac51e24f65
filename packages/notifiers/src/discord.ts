import type { Notification, Notifier, Severity } from "@comeback/core";
import { cutText } from "./cut-text.ts";
import type { NotifierWorld, SecretText } from "./notifier-world.ts";
import { bodyText, oneLine, shownFacts } from "./render-text.ts";
import { channelNotifier, jsonOf } from "./sending.ts";

/** Discord's limits of embeds; all of one together have 6,000 characters. */
const TITLE_MAX_CHARS = 256;
const DESCRIPTION_MAX_CHARS = 3500;
const FIELDS_MAX = 12;
const FIELD_NAME_MAX_CHARS = 40;
const FIELD_VALUE_MAX_CHARS = 140;

const COLORS: Readonly<Record<Severity, number>> = {
  info: 0x2e_8b_57,
  warning: 0xe6_a2_00,
  error: 0xc6_28_28,
};

/** An incoming webhook of Discord. */
export function discordNotifier(
  settings: { readonly url: SecretText },
  world: NotifierWorld,
): Notifier {
  return channelNotifier("discord", world, async (notification, sending) => {
    const given = await sending.secret(settings.url);
    const answer = await sending.call({ url: waiting(given), json: messageOf(notification) });
    if (answer.isOk) return;
    // In seconds, with a fraction.
    const { retry_after: seconds, message } = jsonOf(answer.text) ?? {};
    const isUnknown = [401, 403, 404].includes(answer.status);
    const next = "make a new webhook in the channel's settings: this one leads nowhere (any more)";
    throw sending.refused(answer, {
      says: typeof message === "string" ? message : undefined,
      next: isUnknown ? next : undefined,
      retryAfterMs: typeof seconds === "number" ? Math.ceil(seconds * 1000) : undefined,
    });
  });
}

/** Discord answers once the message is there, instead of once it was heard. */
function waiting(url: string): string {
  if (!URL.canParse(url)) return url;
  const target = new URL(url);
  target.searchParams.set("wait", "true");
  return target.href;
}

function messageOf(notification: Notification): object {
  const facts = shownFacts(notification).slice(0, FIELDS_MAX);
  return {
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: plain(oneLine(notification.title), TITLE_MAX_CHARS),
        description: plain(bodyText(notification), DESCRIPTION_MAX_CHARS),
        color: COLORS[notification.severity],
        timestamp: new Date(notification.atMs).toISOString(),
        fields: facts.map(([key, value]) => ({
          name: plain(key, FIELD_NAME_MAX_CHARS),
          value: plain(value, FIELD_VALUE_MAX_CHARS) || "-",
          inline: true,
        })),
      },
    ],
  };
}

function plain(text: string, max: number): string {
  return escapeMarkdown(cutText(text, max, (given) => escapeMarkdown(given).length));
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\*_~`|<>#[\]()@-]/g, String.raw`\$&`);
}
