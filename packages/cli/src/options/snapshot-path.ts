import type { ByteString } from "@comeback/core";
import { bytesOfArgument } from "./argument-bytes.ts";

/** What `SNAPSHOT[:path]` names. */
export interface SnapshotPath {
  readonly snapshot: string;
  /** A path within the snapshot; "/" is all of it. */
  readonly path: ByteString;
}

/** Takes `latest`, `1a2b3c4d` or `latest:/home/me` apart. */
export function parseSnapshotPath(text: string): SnapshotPath {
  const colon = text.indexOf(":");
  if (colon === -1) return { snapshot: text, path: "/" };
  return { snapshot: text.slice(0, colon), path: `/${bytesOfArgument(text.slice(colon + 1))}` };
}
