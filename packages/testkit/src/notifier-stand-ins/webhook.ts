import { createHmac, timingSafeEqual } from "node:crypto";
import { expect, jsonBody, type StandInApi, strictly, textOf } from "./http-stand-in.ts";

const BODY_MAX_BYTES: number = 256 * 1024;
const AGE_MAX_SECONDS = 300;

/** Somebody's own receiver, which checks signatures as the reference page tells it. */
export function webhookApi(
  receiver: { readonly path: string; readonly key: string; readonly nowMs: () => number },
  shown: string[],
): StandInApi {
  return strictly((request) => {
    if (request.path !== receiver.path) return { status: 404 };
    const header = String(request.headers["x-comeback-signature"] ?? "");
    const age = { nowSeconds: receiver.nowMs() / 1000, body: request.body };
    if (!isSigned(header, receiver.key, age)) return { status: 401, body: "not signed" };
    expect(Buffer.byteLength(request.body) <= BODY_MAX_BYTES, "the body is too long");
    const message = jsonBody(request, [
      "version",
      "event",
      "severity",
      "title",
      "lines",
      "facts",
      "host",
      "plan",
      "run",
      "time",
    ]);
    const lines = message["lines"] as readonly string[];
    shown.push([textOf(message["title"], "title", 1000), ...lines].join("\n"));
    return { status: 204 };
  });
}

function isSigned(
  header: string,
  key: string,
  { nowSeconds, body }: { readonly nowSeconds: number; readonly body: string },
): boolean {
  const [, seconds = "", given = ""] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header) ?? [];
  const sum = createHmac("sha256", key).update(`${seconds}.${body}`).digest();
  const isSame = given !== "" && timingSafeEqual(sum, Buffer.from(given, "hex"));
  return isSame && Math.abs(nowSeconds - Number(seconds)) <= AGE_MAX_SECONDS;
}
