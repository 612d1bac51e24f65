import {
  expect,
  jsonBody,
  knownFields,
  type StandInAnswer,
  type StandInApi,
} from "./http-stand-in.ts";
import { BadRequest } from "./http-stand-in.ts";

const TEXT_MAX_CHARS = 4096;

/** `sendMessage` of Telegram's Bot API; `shown` gets the texts as people see them. */
export function telegramApi(
  bot: { readonly token: string; readonly chat: string },
  shown: string[],
): StandInApi {
  return (request) => {
    const [, token, method] = /^\/bot([^/]+)\/(\w+)$/.exec(request.path) ?? [];
    if (token !== bot.token || method !== "sendMessage") return failure(404, "Not Found");
    try {
      const message = jsonBody(request, [
        "chat_id",
        "text",
        "parse_mode?",
        "link_preview_options?",
        "disable_notification?",
      ]);
      if (message["chat_id"] !== bot.chat) return failure(400, "Bad Request: chat not found");
      expect(message["parse_mode"] === "HTML", "the stand-in knows HTML only");
      knownFields(message["link_preview_options"] ?? {}, ["is_disabled"]);
      const text = parseHtml(String(message["text"]));
      expect(text.trim() !== "", "message text is empty");
      expect(text.length <= TEXT_MAX_CHARS, "message is too long");
      shown.push(text);
      const result = { message_id: shown.length, text, chat: { id: bot.chat }, date: 0 };
      return { status: 200, body: JSON.stringify({ ok: true, result }) };
    } catch (error) {
      if (error instanceof BadRequest) return failure(400, `Bad Request: ${error.message}`);
      throw error;
    }
  };
}

/** How the Bot API says no. */
export function failure(
  code: number,
  description: string,
  parameters?: Readonly<Record<string, number>>,
): StandInAnswer {
  const body = { ok: false, error_code: code, description, ...(parameters && { parameters }) };
  return { status: code, body: JSON.stringify(body) };
}

/** Its HTML: a few tags, of which these are of use here, and four entities. */
function parseHtml(html: string): string {
  const text = html.replaceAll(/<\/?(?:b|i|code|pre)>/g, "");
  expect(!/[<>]/.test(text), "can't parse entities: unsupported start tag");
  expect(!/&(?!(?:lt|gt|amp|quot);)/.test(text), "can't parse entities: a bare ampersand");
  return unescapeHtml(text);
}

export function unescapeHtml(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}
