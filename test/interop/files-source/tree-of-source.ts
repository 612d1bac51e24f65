import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Source, SourceEntry, SourceProblem, SourceSession } from "@comeback/core";
import { displayText } from "@comeback/core";
import { encodeTree, nodeFromMetadata, timeZoneFor } from "@comeback/engine/tree";

export type SourceTree = {
  /** The id that the snapshot's tree has; every file fits into one chunk. */
  readonly id: string;
  /** Snapshot paths of all entries, for messages. */
  readonly paths: readonly string[];
  readonly problems: readonly SourceProblem[];
};

/** The tree that a backup of a source would write. */
export async function treeOfSource(source: Source, timeZone = "UTC"): Promise<SourceTree> {
  const problems: SourceProblem[] = [];
  await using session = await source.open({
    signal: new AbortController().signal,
    onProblem: (problem) => problems.push(problem),
  });
  const paths: string[] = [];
  const id = await storedId(session, await session.root(), { above: "", paths, timeZone });
  return { id, paths: paths.sort(), problems };
}

type Walk = { readonly above: string; readonly paths: string[]; readonly timeZone: string };

async function storedId(
  session: SourceSession,
  entries: readonly SourceEntry[],
  walk: Walk,
): Promise<string> {
  const zone = timeZoneFor(walk.timeZone);
  const nodes = [];
  for (const entry of entries) {
    const node = nodeFromMetadata(entry.name, entry.metadata, { withAtime: false, zone });
    const path = `${walk.above}/${displayText(entry.name)}`;
    walk.paths.push(path);
    if (node.type === "dir") {
      node.subtree = await storedId(session, await session.list(entry), { ...walk, above: path });
    } else if (node.type === "file") {
      const bytes = await contentOf(entry);
      node.content = bytes.length === 0 ? [] : [sha256(bytes)];
      node.size = bytes.length;
    }
    nodes.push(node);
  }
  return sha256(encodeTree(nodes));
}

async function contentOf({ content, path }: SourceEntry): Promise<Uint8Array> {
  if (content === undefined) throw new Error(`${path} is a file without content`);
  if (content.kind === "path") return readFileSync(Buffer.from(content.path, "latin1"));
  const chunks: Uint8Array[] = [];
  for await (const chunk of content.open(new AbortController().signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
