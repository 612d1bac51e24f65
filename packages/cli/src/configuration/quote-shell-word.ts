/** One word, as `splitShellWords` reads it. */
function quoteShellWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A program and its arguments as one line, which `splitShellWords` takes apart again. */
export function shellLine(argv: readonly string[]): string {
  return argv.map(quoteShellWord).join(" ");
}
