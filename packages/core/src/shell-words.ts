import { ComebackError } from "./errors.ts";

/**
 * The words of a command line, as a shell would split them, with its quotes and backslashes and
 * nothing else of it: no variables, no globs, no pipes. For commands that are run without a shell.
 */
export function splitShellWords(option: string, text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (quote === "'") {
      if (character === "'") quote = "";
      else word += character;
    } else if (character === "\\") {
      const next = text[++at] ?? "\\";
      // Between double quotes a backslash is itself, unless it guards one of these.
      word = (word ?? "") + (quote === '"' && !'"\\$`'.includes(next) ? `\\${next}` : next);
    } else if (quote === '"') {
      if (character === '"') quote = "";
      else word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= "";
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (quote !== "") {
    throw new ComebackError("option.invalid", `${option} has a quote that is not closed`, {
      next: `add the missing ${quote}`,
    });
  }
  if (word !== undefined) words.push(word);
  if (words.length === 0) {
    throw new ComebackError("option.invalid", `${option} is empty`, {
      next: "name a program and its arguments",
    });
  }
  return words;
}
