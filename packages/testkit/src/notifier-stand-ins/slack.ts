import {
  expect,
  jsonBody,
  knownFields,
  listOf,
  type StandInApi,
  strictly,
  textOf,
} from "./http-stand-in.ts";

/** An incoming webhook of Slack; `shown` gets the texts as people see them. */
export function slackApi(path: string, shown: string[]): StandInApi {
  return strictly((request) => {
    if (request.path !== path) return { status: 404, body: "no_service" };
    const message = jsonBody(request, ["text", "mrkdwn?", "blocks?"]);
    const fallback = textOf(message["text"], "text", 40_000);
    expect(!/[<>]/.test(fallback), "the fallback holds markup");
    const blocks = listOf(message["blocks"], "blocks", 50);
    shown.push(blocks.flatMap((block) => showBlock(block)).join("\n"));
    return { status: 200, body: "ok" };
  });
}

function showBlock(given: unknown): string[] {
  const block = knownFields(given, ["type", "text?", "fields?"]);
  if (block["type"] === "header") return [plainText(block["text"], 150)];
  expect(block["type"] === "section", `a block of the type ${String(block["type"])}`);
  const fields = block["fields"] === undefined ? [] : listOf(block["fields"], "fields", 10);
  expect(block["text"] !== undefined || fields.length > 0, "a section without text");
  const text = block["text"] === undefined ? [] : [plainText(block["text"], 3000)];
  return [...text, ...fields.map((field) => plainText(field, 2000))];
}

/** The one kind of text in which nothing is markup. */
function plainText(given: unknown, max: number): string {
  const object = knownFields(given, ["type", "text", "emoji?"]);
  expect(object["type"] === "plain_text", "the stand-in shows plain text only");
  return textOf(object["text"], "text", max);
}
