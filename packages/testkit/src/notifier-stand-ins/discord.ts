import { expect, jsonBody, knownFields, listOf, type StandInApi, textOf } from "./http-stand-in.ts";
import { BadRequest } from "./http-stand-in.ts";

const EMBEDS_MAX_CHARS = 6000;

/** A webhook of Discord; `shown` gets the texts as people see them. */
export function discordApi(path: string, shown: string[]): StandInApi {
  return (request) => {
    const url = new URL(request.path, "http://stand-in");
    if (url.pathname !== path) return refuse(404, { message: "Unknown Webhook", code: 10_015 });
    try {
      const message = jsonBody(request, ["embeds", "allowed_mentions", "content?", "username?"]);
      const { parse } = knownFields(message["allowed_mentions"], ["parse"]);
      expect(Array.isArray(parse) && parse.length === 0, "mentions would ring");
      const texts = listOf(message["embeds"], "embeds", 10).flatMap((embed) => textsOf(embed));
      const total = texts.reduce((sum, text) => sum + text.length, 0);
      expect(total <= EMBEDS_MAX_CHARS, `embeds have ${total} characters`);
      shown.push(texts.map((text) => render(text)).join("\n"));
      const isWaited = url.searchParams.get("wait") === "true";
      return isWaited ? { status: 200, body: '{"id":"1"}' } : { status: 204 };
    } catch (error) {
      if (error instanceof BadRequest) return refuse(400, { message: error.message, code: 50_035 });
      throw error;
    }
  };
}

function refuse(status: number, body: object): { status: number; body: string } {
  return { status, body: JSON.stringify(body) };
}

function textsOf(given: unknown): string[] {
  const embed = knownFields(given, ["title", "description?", "color?", "timestamp?", "fields?"]);
  const fields = listOf(embed["fields"] ?? [], "fields", 25).flatMap((each) => {
    const field = knownFields(each, ["name", "value", "inline?"]);
    return [textOf(field["name"], "name", 256), textOf(field["value"], "value", 1024)];
  });
  const { description } = embed;
  const text = description === "" || description === undefined ? [] : [description];
  return [
    textOf(embed["title"], "title", 256),
    ...text.map((each) => textOf(each, "description", 4096)),
    ...fields,
  ];
}

/** Its Markdown: what is behind a backslash is itself, and what else is markup is not seen. */
function render(text: string): string {
  return text.replaceAll(/\\([^A-Za-z0-9\s])|[*_~`|<>]/g, (_, escaped?: string) => escaped ?? "");
}
