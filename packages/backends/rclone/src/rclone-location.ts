import { ComebackError } from "@comeback/core";

/** Values in a connection string: `:sftp,host=example.com,pass="…":path`; rclone's log has `\"`. */
const VALUES = /(,\s*[\w-]+=)("(?:[^"]|"")*"|'(?:[^']|'')*'|\\"(?:(?!\\").)*\\"|[^,:]*)/g;

export interface RcloneLocation {
  /** As rclone is given it. */
  readonly remote: string;
  /** For messages: without the values that a connection string may hold. */
  readonly shown: string;
}

/** Reads `rclone:remote:path`. */
export function parseRcloneLocation(location: string): RcloneLocation {
  const remote = location.replace(/^rclone:/, "");
  if (remote === "" || remote.includes("\0")) {
    throw new ComebackError("option.invalid", "the repository's location names no remote", {
      next: "write it as rclone:remote:path, with a remote that `rclone listremotes` shows",
    });
  }
  if (remote.startsWith("-")) {
    throw new ComebackError("option.invalid", "a remote's name does not begin with a dash", {
      next: "give options to rclone with -o rclone.args=…",
    });
  }
  return { remote, shown: `rclone:${withoutValues(remote)}` };
}

/** A text of rclone's, with the values of connection strings left out. */
export function withoutValues(text: string): string {
  return text.replaceAll(VALUES, "$1***");
}

/** The values that a connection string holds, which may be passwords. */
export function valuesIn(remote: string): string[] {
  return [...remote.matchAll(VALUES)].map(([, , value = ""]) =>
    value.replace(/^(["'])(.*)\1$/s, "$2"),
  );
}
