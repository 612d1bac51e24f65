import { badValue } from "../options/option-error.ts";
import { parseSizeBytes } from "../options/parse-values.ts";

/** Whether a file of so many bytes is wanted. */
export type SizeRule = (bytes: number) => boolean;

/** `+10M` is 10 MiB or more, `-1k` 1 KiB or less, `500` exactly 500 bytes. */
export function parseSizeRule(text: string): SizeRule {
  const [, sign, size = ""] = /^([+-]?)(\w+)$/.exec(text) ?? [];
  if (sign === undefined) throw badValue("--size", text, "+10M, -1k or 500");
  const limit = parseSizeBytes("--size", size);
  if (sign === "+") return (bytes) => bytes >= limit;
  return sign === "-" ? (bytes) => bytes <= limit : (bytes) => bytes === limit;
}
