/** Code points that take two columns (East Asian Wide and Fullwidth, emoji), as ranges. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x2329, 0x232a],
  [0x23e9, 0x23ec],
  [0x25fd, 0x25fe],
  [0x2614, 0x2615],
  [0x2648, 0x2653],
  [0x26a1, 0x26a1],
  [0x2705, 0x2705],
  [0x274c, 0x274c],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f004, 0x1f004],
  [0x1f0cf, 0x1f0cf],
  [0x1f18e, 0x1f1ff],
  [0x1f200, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f7e0, 0x1f7eb],
  [0x1f900, 0x1faff],
  [0x20000, 0x3fffd],
];

const ASCII = /^[\x20-\x7e]*$/;
const COMBINING_ONLY = /^[\p{Mn}\p{Me}\u200c\u200d]+$/u;
const EMOJI_STYLE = "\ufe0f";
const ELLIPSIS = "…";

let segmenter: Intl.Segmenter | undefined;

/** As Palette writes it. */
const COLOUR = /\u001b\[\d+m/g;

/** What a person takes as one character each. */
function graphemes(text: string): string[] {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

function graphemeWidth(grapheme: string): number {
  if (COMBINING_ONLY.test(grapheme)) return 0;
  const code = grapheme.codePointAt(0) as number;
  if (grapheme.includes(EMOJI_STYLE)) return 2;
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}

/** Columns that printable text takes on a terminal; colours take none. */
export function displayWidth(coloured: string): number {
  const text = coloured.includes("\u001b") ? coloured.replaceAll(COLOUR, "") : coloured;
  if (ASCII.test(text)) return text.length;
  return graphemes(text).reduce((sum, grapheme) => sum + graphemeWidth(grapheme), 0);
}

/** As much of the beginning as fits. */
export function cutToWidth(text: string, columns: number): string {
  if (ASCII.test(text)) return text.slice(0, Math.max(0, columns));
  let result = "";
  let width = 0;
  for (const grapheme of graphemes(text)) {
    width += graphemeWidth(grapheme);
    if (width > columns) break;
    result += grapheme;
  }
  return result;
}

function lastColumns(text: string, columns: number): string {
  let result = "";
  let width = 0;
  for (const grapheme of graphemes(text).reverse()) {
    width += graphemeWidth(grapheme);
    if (width > columns) break;
    result = grapheme + result;
  }
  return result;
}

/**
 * Text in at most `columns`, cut in its middle: of a path, the end says more than the start, so
 * two thirds of the room are the end's. No character is ever cut in two.
 */
export function shortenMiddle(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  if (columns <= 1) return columns === 1 ? ELLIPSIS : "";
  const endColumns = Math.ceil(((columns - 1) * 2) / 3);
  const start = cutToWidth(text, columns - 1 - endColumns);
  return `${start}${ELLIPSIS}${lastColumns(text, endColumns)}`;
}

/** Text followed by spaces up to `columns`. */
export function padEndTo(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - displayWidth(text)));
}

/** Text with spaces before it up to `columns`. */
export function padStartTo(text: string, columns: number): string {
  return " ".repeat(Math.max(0, columns - displayWidth(text))) + text;
}

/** Words on lines of at most `columns`; a longer word stands alone on its line. */
export function wrapWords(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && displayWidth(longer) > columns) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  lines.push(line);
  return lines;
}
