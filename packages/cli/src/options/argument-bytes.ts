import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { type ByteString, isAscii } from "@comeback/core";

/**
 * Arguments are bytes, and Node hands them out as text: bytes that are not UTF-8 become U+FFFD and
 * are lost. Where that happened the kernel is asked for the original, and each such byte is kept
 * as a lone surrogate (U+DC80 to U+DCFF), which valid text never holds and `bytesOfArgument` undoes.
 */
const REPLACEMENT = "\ufffd";
const SURROGATE_BASE = 0xdc00;

/** The program's own arguments, without loss. */
export function exactArguments(args: readonly string[]): string[] {
  if (!args.some((arg) => arg.includes(REPLACEMENT))) return [...args];
  const raw = readFileSync("/proc/self/cmdline");
  const all: Buffer[] = [];
  for (let start = 0; start < raw.length;) {
    const end = raw.indexOf(0, start);
    all.push(raw.subarray(start, end));
    start = end + 1;
  }
  const own = all.slice(all.length - args.length);
  return own.length === args.length ? own.map(decodeArgument) : [...args];
}

/** Text of an argument's bytes, undecodable ones as lone surrogates. */
export function decodeArgument(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString("utf8");
  let text = "";
  for (let at = 0; at < bytes.length;) {
    let length = 4;
    while (length > 0 && !(at + length <= bytes.length && isOneSequence(bytes, at, length)))
      length--;
    text +=
      length === 0
        ? String.fromCharCode(SURROGATE_BASE + (bytes[at] as number))
        : bytes.toString("utf8", at, at + length);
    at += Math.max(1, length);
  }
  return text;
}

function isOneSequence(bytes: Buffer, at: number, length: number): boolean {
  const sequence = bytes.subarray(at, at + length);
  return isUtf8(sequence) && [...sequence.toString("utf8")].length === 1;
}

/** The bytes that the user typed. */
export function bytesOfArgument(text: string): ByteString {
  if (isAscii(text)) return text;
  const parts: Buffer[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    const isByte = code >= SURROGATE_BASE + 0x80 && code <= SURROGATE_BASE + 0xff;
    parts.push(isByte ? Buffer.of(code - SURROGATE_BASE) : Buffer.from(character, "utf8"));
  }
  return Buffer.concat(parts).toString("latin1");
}
