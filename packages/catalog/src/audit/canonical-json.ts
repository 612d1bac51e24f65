import { assert } from "@comeback/core";

/**
 * The one text of a JSON value, as RFC 8785 has it: keys in the order of their UTF-16 units, no
 * spaces, numbers and strings as JavaScript writes them.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`);
    return `{${entries.join(",")}}`;
  }
  assert(typeof value !== "number" || Number.isFinite(value), "a number that JSON can write");
  return JSON.stringify(value);
}
