import type { Notification, Notifier, Severity } from "@comeback/core";
import { cutText, utf8Bytes } from "./cut-text.ts";
import type { NotifierWorld, SecretText } from "./notifier-world.ts";
import { bodyText, oneLine, shownFacts } from "./render-text.ts";
import { channelNotifier } from "./sending.ts";

/** Teams refuses messages of 28 KB, its own frame included; some have met the limit at 21 KB. */
const TITLE_MAX_BYTES = 1024;
const BODY_MAX_BYTES = 12 * 1024;
const FACT_MAX_BYTES = 256;
const FACTS_MAX = 15;

const COLORS: Readonly<Record<Severity, string>> = {
  info: "Good",
  warning: "Warning",
  error: "Attention",
};

/** A workflow of Teams that posts what its webhook gets: an Adaptive Card. */
export function teamsNotifier(
  settings: { readonly url: SecretText },
  world: NotifierWorld,
): Notifier {
  return channelNotifier("teams", world, async (notification, sending) => {
    const url = await sending.secret(settings.url);
    const answer = await sending.call({ url, json: messageOf(notification) });
    // The webhooks of old answered 200, and said in their text that it was none.
    const [, inner] = /HTTP error (\d{3})/.exec(answer.text) ?? [];
    if (answer.isOk && inner === undefined) return;
    const real = inner === undefined ? answer : { ...answer, status: Number(inner) };
    const isUnknown = [400, 401, 403, 404, 410].includes(real.status);
    const next = "open the workflow in Teams: see whether it is on, and copy its address once more";
    throw sending.refused(real, { next: isUnknown ? next : undefined });
  });
}

/** Rich text: other than a TextBlock, it knows no Markdown. */
function messageOf(notification: Notification): object {
  const { severity } = notification;
  const title = { text: fitting(oneLine(notification.title), TITLE_MAX_BYTES), weight: "Bolder" };
  const body = fitting(bodyText(notification), BODY_MAX_BYTES);
  const facts = shownFacts(notification).slice(0, FACTS_MAX);
  return {
    type: "message",
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        contentUrl: null,
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.4",
          msteams: { width: "Full" },
          body: [
            richText([{ ...title, size: "Medium", color: COLORS[severity] }]),
            ...body.split("\n").map((text) => richText([{ text }])),
            ...facts.map(([key, value]) =>
              richText([
                { text: `${key}: `, isSubtle: true },
                { text: fitting(value, FACT_MAX_BYTES) },
              ]),
            ),
          ],
        },
      },
    ],
  };
}

interface TextRun {
  readonly text: string;
  readonly weight?: string;
  readonly size?: string;
  readonly color?: string;
  readonly isSubtle?: boolean;
}

function richText(runs: readonly TextRun[]): object {
  return { type: "RichTextBlock", inlines: runs.map((run) => ({ type: "TextRun", ...run })) };
}

function fitting(text: string, maxBytes: number): string {
  // As JSON has it: a quote takes two.
  return cutText(text, maxBytes, (given) => utf8Bytes(JSON.stringify(given)));
}
