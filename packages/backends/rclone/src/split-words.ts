import { ComebackError } from "@comeback/core";

/** A word as it stands, or between quotes, or with a backslash before any character. */
const PART = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/suy;

/** The words of a setting as a shell would split them: quotes and backslashes, nothing else. */
export function splitWords(setting: string, text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const part = PART.exec(text);
    if (part === null) {
      throw new ComebackError("option.invalid", `${setting} has a quote that is not closed`, {
        next: "add the missing quote",
      });
    }
    const [all, single, double, escaped, plain] = part;
    if (/^\s/.test(all)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      const guarded = double?.replaceAll(/\\(["\\$`])/g, "$1");
      word = (word ?? "") + (single ?? guarded ?? escaped ?? plain ?? "");
    }
  }
  return word === undefined ? words : [...words, word];
}
