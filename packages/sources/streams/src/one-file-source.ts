import {
  type ByteString,
  ComebackError,
  displayText,
  type EntryContent,
  type Instant,
  type Source,
} from "@comeback/core";
import { placeOf, streamsSource } from "./streams-source.ts";

export type OneFileOptions = {
  /** Where the file lies in the snapshot; folders may be part of it. */
  readonly filename: ByteString;
  /** The time of the backup: the file has none of its own. */
  readonly time: Instant;
  readonly content: Extract<EntryContent, { readonly kind: "stream" }>;
};

/** A source of one file whose content is a stream. */
export function oneFileSource(options: OneFileOptions): Source {
  const { filename, time, content } = options;
  if (placeOf(filename) === "/") {
    throw new ComebackError("option.invalid", "--stdin-filename: not the name of a file", {
      why: `"${displayText(filename)}" names the top of the snapshot`,
    });
  }
  return streamsSource({ time, files: [{ path: filename, content: () => content }] });
}
