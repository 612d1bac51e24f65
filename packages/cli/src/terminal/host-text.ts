import { cutToWidth, displayWidth } from "./display-width.ts";
import { printableText } from "./printable.ts";

/** A host's name within so many columns: its beginning, since the names of a site end alike. */
export function hostText(host: string, columns: number): string {
  const text = printableText(host);
  return displayWidth(text) <= columns ? text : `${cutToWidth(text, columns - 1)}…`;
}
