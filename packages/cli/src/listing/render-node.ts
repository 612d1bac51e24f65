import { displayText } from "@comeback/core";
import type { ByteString } from "@comeback/core";
import { formatBytes, formatLocalTime } from "../terminal/format-values.ts";
import { exactNumber } from "./exact-number.ts";
import { goModeText } from "./mode-text.ts";
import type { WalkedNode } from "@comeback/engine";

/** restic's JSON line of one entry. */
export function nodeMessage({ path, node }: WalkedNode): string {
  const inode = typeof node.inode === "bigint" ? exactNumber(node.inode) : node.inode;
  return JSON.stringify({
    name: displayText(node.name),
    type: node.type,
    path: displayText(path),
    uid: node.uid,
    gid: node.gid,
    ...(node.type === "file" ? { size: Number(node.size) } : {}),
    ...(node.mode === 0 ? {} : { mode: node.mode }),
    permissions: goModeText(node.mode),
    mtime: node.mtime,
    atime: node.atime,
    ctime: node.ctime,
    ...(inode === 0 ? {} : { inode }),
    message_type: "node",
    struct_type: "node",
  });
}

/** A line of `ls -l`: everything but the names is ASCII, the names are as they are stored. */
export function longLine({ path, node }: WalkedNode, humanReadable: boolean): ByteString {
  const bytes = node.type === "file" ? Number(node.size) : 0;
  const size = humanReadable ? formatBytes(bytes).padStart(8) : String(bytes).padStart(6);
  const target = node.linktarget === undefined ? "" : ` -> ${node.linktarget}`;
  const owner = `${String(node.uid).padStart(5)} ${String(node.gid).padStart(5)}`;
  const time = formatLocalTime(node.mtime);
  return `${goModeText(node.mode)} ${owner} ${size} ${time} ${path}${target}`;
}
