import { expect, jsonBody, knownFields, listOf, type StandInApi, textOf } from "./http-stand-in.ts";
import { BadRequest } from "./http-stand-in.ts";

const NTFY_MESSAGE_MAX_BYTES = 4096;

/** ntfy's publishing by JSON; `shown` gets the texts as people see them. */
export function ntfyApi(
  service: { readonly topic: string; readonly token: string | undefined },
  shown: string[],
): StandInApi {
  const no = (http: number, error: string): { status: number; body: string } => ({
    status: http,
    body: JSON.stringify({ code: http * 100 + 1, http, error, link: "https://ntfy.sh/docs" }),
  });
  return (request) => {
    if (request.path !== "/") return no(404, "page not found");
    const wanted = service.token === undefined ? undefined : `Bearer ${service.token}`;
    if (request.headers.authorization !== wanted) return no(403, "forbidden");
    try {
      const message = jsonBody(request, ["topic", "message", "title?", "priority?", "tags?"]);
      expect(/^[-_A-Za-z0-9]{1,64}$/.test(String(message["topic"])), "invalid topic");
      if (message["topic"] !== service.topic) return no(403, "forbidden");
      const text = textOf(message["message"], "message", NTFY_MESSAGE_MAX_BYTES);
      // It would become an attachment.
      expect(Buffer.byteLength(text) <= NTFY_MESSAGE_MAX_BYTES, "the message is too long");
      const { priority } = message;
      expect([1, 2, 3, 4, 5].includes(Number(priority)), "invalid priority");
      listOf(message["tags"] ?? [], "tags", 10);
      shown.push(`${textOf(message["title"], "title", 1024)}\n${text}`);
      return { status: 200, body: JSON.stringify({ id: "1", event: "message" }) };
    } catch (error) {
      if (error instanceof BadRequest) return no(400, error.message);
      throw error;
    }
  };
}

/** Gotify's messages; `shown` gets the texts as people see them. */
export function gotifyApi(service: { readonly token: string }, shown: string[]): StandInApi {
  const no = (errorCode: number, error: string, errorDescription: string) => ({
    status: errorCode,
    body: JSON.stringify({ error, errorCode, errorDescription }),
  });
  return (request) => {
    if (request.path !== "/message") return no(404, "Not Found", "page not found");
    if (request.headers["x-gotify-key"] !== service.token) {
      return no(401, "Unauthorized", "you need to provide a valid access token");
    }
    try {
      const message = jsonBody(request, ["message", "title?", "priority?", "extras?"]);
      const text = textOf(message["message"], "message", 64 * 1024);
      const extras = knownFields(message["extras"] ?? {}, ["client::display?"]);
      const { contentType } = knownFields(extras["client::display"] ?? {}, ["contentType?"]);
      expect(contentType !== "text/markdown", "the text would be taken for Markdown");
      expect(Number.isInteger(message["priority"]), "the priority is no number");
      shown.push(`${textOf(message["title"], "title", 1024)}\n${text}`);
      return { status: 200, body: JSON.stringify({ id: 1, appid: 1 }) };
    } catch (error) {
      if (error instanceof BadRequest) return no(400, "Bad Request", error.message);
      throw error;
    }
  };
}
