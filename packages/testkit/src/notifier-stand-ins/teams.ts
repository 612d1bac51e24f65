import {
  expect,
  jsonBody,
  knownFields,
  listOf,
  type StandInApi,
  strictly,
  textOf,
} from "./http-stand-in.ts";

const MESSAGE_MAX_BYTES: number = 28 * 1024;

/** A workflow of Teams that posts Adaptive Cards; `shown` gets the texts as people see them. */
export function teamsApi(path: string, shown: string[]): StandInApi {
  return strictly((request) => {
    if (request.path !== path) return { status: 404, body: "no such workflow" };
    if (Buffer.byteLength(request.body) > MESSAGE_MAX_BYTES) return { status: 413 };
    const message = jsonBody(request, ["type", "attachments"]);
    expect(message["type"] === "message", "the type is message");
    const [first] = listOf(message["attachments"], "attachments", 1);
    const attachment = knownFields(first, ["contentType", "contentUrl", "content"]);
    expect(
      attachment["contentType"] === "application/vnd.microsoft.card.adaptive",
      "this is no Adaptive Card",
    );
    const card = knownFields(attachment["content"], [
      "$schema",
      "type",
      "version",
      "msteams?",
      "body",
    ]);
    expect(card["type"] === "AdaptiveCard", "the type is AdaptiveCard");
    expect(/^1\.[0-5]$/.test(String(card["version"])), "Teams shows cards up to 1.5");
    shown.push(
      listOf(card["body"], "body", 200)
        .map((element) => show(element))
        .join("\n"),
    );
    return { status: 202 };
  });
}

function show(given: unknown): string {
  const block = knownFields(given, ["type", "inlines"]);
  expect(block["type"] === "RichTextBlock", "other text would be taken for Markdown");
  return listOf(block["inlines"], "inlines", 50)
    .map((each) => {
      const run = knownFields(each, ["type", "text", "weight?", "size?", "color?", "isSubtle?"]);
      expect(run["type"] === "TextRun", "the type is TextRun");
      return run["text"] === "" ? "" : textOf(run["text"], "text", MESSAGE_MAX_BYTES);
    })
    .join("");
}
