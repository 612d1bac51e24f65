import type { Notification, Notifier } from "@comeback/core";
import { cutText } from "./cut-text.ts";
import { escapeHtml } from "./escape-html.ts";
import type { NotifierWorld, SecretText } from "./notifier-world.ts";
import { bodyText, oneLine, shownFacts } from "./render-text.ts";
import { channelNotifier } from "./sending.ts";

/** Slack's limits of blocks. */
const HEADER_MAX_CHARS = 150;
const SECTION_MAX_CHARS = 3000;
const FIELD_MAX_CHARS = 2000;
const FIELDS_MAX = 10;
const FALLBACK_MAX_CHARS = 3000;

/** An incoming webhook of Slack. */
export function slackNotifier(
  settings: { readonly url: SecretText },
  world: NotifierWorld,
): Notifier {
  return channelNotifier("slack", world, async (notification, sending) => {
    const url = await sending.secret(settings.url);
    const answer = await sending.call({ url, json: messageOf(notification) });
    if (answer.isOk) return;
    const isUnknown = [403, 404, 410].includes(answer.status);
    const next = "make a new webhook in Slack's app settings: this one leads nowhere (any more)";
    throw sending.refused(answer, { next: isUnknown ? next : undefined });
  });
}

/** All as `plain_text`: nothing in it is taken for markup or for a mention. */
function messageOf(notification: Notification): object {
  const title = oneLine(notification.title);
  const body = bodyText(notification);
  const facts = shownFacts(notification).slice(0, FIELDS_MAX);
  const fields = facts.map(([key, value]) => plain(`${key}: ${value}`, FIELD_MAX_CHARS));
  return {
    // What a notification shows; only here Slack knows no plain text, and three escapes.
    text: cutText(title, FALLBACK_MAX_CHARS, (text) => escapeHtml(text).length).replaceAll(
      /[&<>]/g,
      escapeHtml,
    ),
    mrkdwn: false,
    blocks: [
      { type: "header", text: plain(title, HEADER_MAX_CHARS) },
      ...(body === "" ? [] : [{ type: "section", text: plain(body, SECTION_MAX_CHARS) }]),
      ...(fields.length === 0 ? [] : [{ type: "section", fields }]),
    ],
  };
}

function plain(text: string, max: number): object {
  return { type: "plain_text", text: cutText(text, max), emoji: false };
}
