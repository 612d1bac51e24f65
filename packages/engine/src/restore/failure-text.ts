import { messageOf } from "@comeback/core";
import { SystemCallError } from "@comeback/platform";

/** What the kernel's reasons mean during a restore. */
const MEANINGS: Readonly<Record<string, string>> = {
  EEXIST: "something of this name appeared while it was being restored",
  ENOTDIR: "something that is no directory is in its place",
  ENOTEMPTY: "a directory that is not empty is in the way; --delete removes it",
  ELOOP: "a symlink took its place while it was being restored",
  EXDEV: "another file system is mounted there",
};

/** One failure of one entry in words; the entry's path stands beside it. */
export function failureText(error: unknown): string {
  if (!(error instanceof SystemCallError)) return messageOf(error);
  const meaning = MEANINGS[error.code];
  const reason = meaning === undefined ? error.reason : `${meaning} (${error.reason})`;
  return `${error.systemCall}: ${reason}`;
}
