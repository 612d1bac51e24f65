import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../../drivers/scratch.ts";

/** A configuration of a test's own, with remotes whose files all lie in folders below it. */
export interface RcloneConfig {
  /** For clients: where the configuration is. */
  readonly env: Readonly<Record<string, string>>;
  readonly path: string;
  /** Where the files of the remote `disk:` lie. */
  readonly root: string;
}

/**
 * - `disk:` a folder.
 * - `whole:` a folder whose files appear only once they are complete. rclone 1.60 shows a file of a
 *   local remote while it writes it, which no cloud store does; through `chunker` it writes under
 *   another name first. Files below a petabyte stay in one piece.
 * - `secret:` encrypted by rclone, on `whole:`.
 * - `broken:` where nobody listens.
 */
export function makeRcloneConfig(scratch: string): RcloneConfig {
  const path = join(scratch, "rclone.conf");
  const root = makeFolder(scratch, "disk");
  const password = execFileSync("rclone", ["obscure", "rclone's own password"], {
    encoding: "utf8",
    env: { ...process.env, RCLONE_CONFIG: path },
  }).trim();
  const sections = [
    ["[disk]", "type = alias", `remote = ${root}`],
    ["[whole]", "type = chunker", `remote = ${root}`, "chunk_size = 1P", "hash_type = none"],
    ["[secret]", "type = crypt", "remote = whole:secret", `password = ${password}`],
    ["[broken]", "type = webdav", "url = http://127.0.0.1:1", "bearer_token = some-secret"],
  ];
  writeFileSync(path, `${sections.flat().join("\n")}\n`, { mode: 0o600 });
  return { env: { RCLONE_CONFIG: path }, path, root };
}
