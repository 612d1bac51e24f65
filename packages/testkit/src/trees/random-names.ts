import { byteStringFromText } from "@comeback/core";
import type { ByteString } from "@comeback/core";
import type { SeededRandom } from "../seeded-random.ts";

/** Names that have broken backup programs. */
const HOSTILE_NAMES: readonly ByteString[] = [
  " ",
  " leading and trailing ",
  "-rf",
  "--help",
  "...",
  "new\nline",
  "tab\tand\rreturn",
  "bell\x07escape\x1bdelete\x7f",
  'double"quote',
  "single'quote",
  "back\\slash",
  "<html>&amp;",
  "*?[a-z]{x,y}",
  "$HOME `id` ${x} %s %n",
  "CON",
  "a:b",
  "__proto__",
  "constructor",
  "config",
  "x".repeat(255),
  "\xff\xfe not UTF-8",
  "cut \xc3",
  "overlong \xc0\xaf",
  "surrogate \xed\xa0\x80",
  ...[
    "grüße",
    "gru\u0308ße",
    "日本語",
    "עברית",
    "👍🏽 emoji",
    "no-break\u00a0space",
    "zero\u200bwidth",
    "line\u2028separator",
    "bom\ufeff",
    "private\ue000",
    "replacement\ufffd",
    "noncharacter\uffff",
    "ä".repeat(127),
  ].map((text) => byteStringFromText(text)),
];

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789._-";
const EXTENSIONS = ["", "", ".txt", ".c", ".jpg", ".tar.gz", "~"];

export function newName(random: SeededRandom): ByteString {
  if (random.chance(25)) return random.pick(HOSTILE_NAMES);
  if (random.chance(5)) return bytesName(random);
  const length = random.integer(1, 20);
  let name = "";
  for (let i = 0; i < length; i++) name += LETTERS[random.integer(0, LETTERS.length - 1)]!;
  return `n${name}${random.pick(EXTENSIONS)}`;
}

/** Any bytes but the two that cannot be in a name. */
function bytesName(random: SeededRandom): ByteString {
  const bytes = random.bytes(random.integer(1, 60));
  return Buffer.from(bytes).toString("latin1").replaceAll(/[/\0]/g, "_").replace(/^\.+$/, "dots");
}

/** Where a symlink leads: most lead nowhere, and none is ever followed by us. */
export function newTarget(random: SeededRandom): ByteString {
  const targets = [".", "..", "/", "../../outside", "/etc/passwd", "nowhere", "x".repeat(1000)];
  return random.chance(60) ? random.pick(targets) : newName(random);
}
