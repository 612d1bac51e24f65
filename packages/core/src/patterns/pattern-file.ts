import {
  type ByteString,
  byteStringFromBytes,
  byteStringFromText,
  displayText,
} from "../byte-string.ts";

/** Values of environment variables; `process.env` fits. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The text of a list file as UTF-8 bytes: UTF-16 with a byte order mark is converted, a mark is
 * removed. Bytes that are not UTF-8 stay as they are, because names may hold them.
 */
export function decodeTextFile(bytes: Uint8Array): ByteString {
  const text = byteStringFromBytes(bytes);
  if (text.startsWith("\xef\xbb\xbf")) return text.slice(3);
  if (text.startsWith("\xff\xfe")) return byteStringFromText(decodeUtf16(bytes, "utf-16le"));
  if (text.startsWith("\xfe\xff")) return byteStringFromText(decodeUtf16(bytes, "utf-16be"));
  return text;
}

function decodeUtf16(bytes: Uint8Array, encoding: "utf-16le" | "utf-16be"): string {
  return new TextDecoder(encoding).decode(bytes);
}

/** The lines of a text, without their ends ("\n" or "\r\n"). */
export function textLines(text: ByteString): ByteString[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
}

/** What Unicode calls white space, in UTF-8. */
const SPACE =
  "(?:[\\t-\\r ]|\\xc2[\\x85\\xa0]|\\xe1\\x9a\\x80|\\xe2\\x80[\\x80-\\x8a\\xa8\\xa9\\xaf]" +
  "|\\xe2\\x81\\x9f|\\xe3\\x80\\x80)+";
const SPACE_BEFORE = new RegExp(`^${SPACE}`);
const SPACE_BEHIND = new RegExp(`${SPACE}$`);

export function trimSpace(line: ByteString): ByteString {
  return line.replace(SPACE_BEFORE, "").replace(SPACE_BEHIND, "");
}

/**
 * The patterns of an `--exclude-file`: one a line, white space around it removed, empty lines and
 * comments (`#`) skipped, `$NAME` and `${NAME}` replaced by the environment, `$$` by a dollar.
 */
export function patternsOfFile(bytes: Uint8Array, environment: Environment): ByteString[] {
  const patterns: ByteString[] = [];
  for (const line of textLines(decodeTextFile(bytes))) {
    const trimmed = trimSpace(line);
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    patterns.push(expandVariables(trimmed, environment));
  }
  return patterns;
}

/** A braced name, a special character, or a name; the last may be empty. */
const VARIABLE = /\$(?:\{([*#$@!?\-0-9])\}|\{([^}]+)\}|(\{\}|\{)|([*#$@!?\-0-9])|([_0-9a-zA-Z]+))/g;

/** Go's `os.Expand`, where broken braces are dropped and a dollar in front of nothing stays. */
function expandVariables(text: ByteString, environment: Environment): ByteString {
  return text.replace(
    VARIABLE,
    (
      _,
      bracedSpecial?: string,
      braced?: string,
      broken?: string,
      special?: string,
      name?: string,
    ) => {
      if (broken !== undefined) return "";
      const variable = bracedSpecial ?? braced ?? special ?? name ?? "";
      if (variable === "$") return "$";
      return byteStringFromText(environment[displayText(variable)] ?? "");
    },
  );
}
