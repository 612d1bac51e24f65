/** Colours that mean something: red failed, yellow look at this, green good, dim secondary. */
export interface Palette {
  red(text: string): string;
  yellow(text: string): string;
  green(text: string): string;
  bold(text: string): string;
  dim(text: string): string;
}

function sgr(on: number, off: number): (text: string) => string {
  return (text) => `\u001b[${on}m${text}\u001b[${off}m`;
}

const COLOURED: Palette = {
  red: sgr(31, 39),
  yellow: sgr(33, 39),
  green: sgr(32, 39),
  bold: sgr(1, 22),
  dim: sgr(2, 22),
};

const same = (text: string): string => text;
export const PLAIN: Palette = { red: same, yellow: same, green: same, bold: same, dim: same };

/** Colours on terminals only, and never against the user's word (https://no-color.org). */
export function paletteFor(isTerminal: boolean, env: NodeJS.ProcessEnv): Palette {
  const unwanted = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  return isTerminal && !unwanted ? COLOURED : PLAIN;
}
