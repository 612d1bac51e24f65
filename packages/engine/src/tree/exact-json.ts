/** A number as it was written (ECMAScript's "JSON.parse source text access"). */
export type RawJson = { readonly rawJSON: string };

/** What `JSON` can do in Node 26 and TypeScript's library does not know yet. */
const exactJson = JSON as unknown as {
  rawJSON(text: string): RawJson;
  isRawJSON(value: unknown): value is RawJson;
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
};

export function isRawJson(value: unknown): value is RawJson {
  return exactJson.isRawJSON(value);
}

/** Values of other writers that are nested deeper than this are refused, not recursed into. */
const DEPTH_MAX = 32;

/**
 * JSON.parse that loses no digit: a number that a double does not hold exactly as it is written
 * becomes a `JSON.rawJSON` object, which `JSON.stringify` writes back as it was.
 */
export function parseJsonExactly(text: string): unknown {
  return exactJson.parse(text, (_key, value: unknown, context) =>
    typeof value === "number" && !(Number.isSafeInteger(value) && String(value) === context.source)
      ? exactJson.rawJSON(context.source ?? "0")
      : value,
  );
}

/** Whether a value that is only handed on is shallow, and free of numbers that lost digits. */
export function boundedJson(value: unknown, depth = 0): "fine" | "inexact" | "too-deep" {
  if (typeof value === "number") return Number.isSafeInteger(value) ? "fine" : "inexact";
  if (typeof value !== "object" || value === null) return "fine";
  if (isRawJson(value)) return "fine";
  if (depth >= DEPTH_MAX) return "too-deep";
  let result: "fine" | "inexact" = "fine";
  for (const item of Object.values(value)) {
    const inner = boundedJson(item, depth + 1);
    if (inner === "too-deep") return inner;
    if (inner === "inexact") result = inner;
  }
  return result;
}
