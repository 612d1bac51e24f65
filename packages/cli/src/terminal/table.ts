import { displayWidth, padEndTo, padStartTo } from "./display-width.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** A cell is one line, or several. Every text in it is printable already. */
export type Cell = string | readonly string[];

const GAP = "  ";

/** Rows under a title and a rule, as wide as they need to be, with an optional last line. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  footer?: string,
): string[] {
  const lines = rows.map((row) => row.map((cell) => (typeof cell === "string" ? [cell] : cell)));
  const widths = columns.map(({ title }, place) =>
    lines.reduce(
      (widest, row) => Math.max(widest, ...(row[place] ?? []).map(displayWidth)),
      displayWidth(title),
    ),
  );
  const join = (cells: readonly string[]): string =>
    columns
      .map(({ align }, place) =>
        (align === "right" ? padStartTo : padEndTo)(cells[place] ?? "", widths[place] ?? 0),
      )
      .join(GAP)
      .trimEnd();
  const rule = "-".repeat(
    widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1),
  );
  const body = lines.flatMap((row) => {
    const height = Math.max(1, ...row.map((cell) => cell.length));
    return Array.from({ length: height }, (_, line) => join(row.map((cell) => cell[line] ?? "")));
  });
  const end = footer === undefined ? [] : [rule, footer];
  return [join(columns.map(({ title }) => title)), rule, ...body, ...end];
}
