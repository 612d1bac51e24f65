import { displayText } from "@comeback/core";
import type { FoundBlob, FoundObject, Snapshot, WalkedNode } from "@comeback/engine";
import { exactNumber } from "../listing/exact-number.ts";
import { goModeText } from "../listing/mode-text.ts";

/** restic's JSON of an entry that was found: its fields, but neither name nor content. */
export function matchMessage({ path, node }: WalkedNode): Record<string, unknown> {
  return {
    path: displayText(path),
    permissions: goModeText(node.mode),
    type: node.type === "unknown" ? (node.type_text ?? "") : node.type,
    ...present({ mode: node.mode }),
    mtime: node.mtime,
    atime: node.atime,
    ctime: node.ctime,
    uid: node.uid,
    gid: node.gid,
    ...present({
      user: node.user,
      group: node.group,
      inode: node.inode,
      device_id: node.device_id,
      size: node.size,
      links: node.links,
      linktarget: displayText(node.linktarget ?? ""),
      error: node.error,
    }),
  };
}

/** restic's JSON of a place where a blob is used; the pack is ours, where it is asked for. */
export function objectMessage(
  { type, id, path, parentTreeId }: FoundObject,
  snapshot: Snapshot,
  place: FoundBlob | undefined,
): Record<string, unknown> {
  return {
    object_type: type === "data" ? "blob" : "tree",
    id,
    path: displayText(path),
    ...(parentTreeId === undefined ? {} : { parent_tree: parentTreeId }),
    snapshot: snapshot.id,
    time: snapshot.time,
    ...(place === undefined
      ? {}
      : {
          pack: place.packId,
          offset: place.offset,
          length: place.length,
          ...(place.uncompressedLength === 0
            ? {}
            : { uncompressed_length: place.uncompressedLength }),
        }),
  };
}

/** What Go leaves out is left out; numbers that a double cannot hold keep their digits. */
function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(fields).flatMap(([key, value]): [string, unknown][] => {
    if (value === 0 || value === 0n || value === "" || value === undefined) return [];
    return [[key, typeof value === "bigint" ? exactNumber(value) : value]];
  });
  return Object.fromEntries(entries);
}
