const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs;

const ESCAPES: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/**
 * JSON laid out over lines as Go's `json.MarshalIndent` with two spaces does, which restic's `cat`
 * uses. Works on the text, so that no number loses a digit. `text` is valid JSON.
 */
export function indentJson(text: string): string {
  let out = "";
  let depth = 0;
  let afterOpening = false;
  for (const [token] of text.matchAll(TOKEN)) {
    const closes = token === "}" || token === "]";
    if (closes) depth--;
    // An empty object or list stays on its line.
    if (afterOpening !== closes && (afterOpening || closes)) out += newLine(depth);
    afterOpening = token === "{" || token === "[";
    if (afterOpening) depth++;
    if (token === ":") out += ": ";
    else if (token === ",") out += `,${newLine(depth)}`;
    else out += token;
  }
  // These characters occur inside of strings only.
  return out.replace(/[<>&\u2028\u2029]/g, (character) => ESCAPES[character] as string);
}

function newLine(depth: number): string {
  return `\n${"  ".repeat(depth)}`;
}
