import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  displayText,
  nodePath,
  type Source,
  type SourceEntry,
  type SourceProblem,
} from "@comeback/core";

export interface WalkedSource {
  /** Every entry by its path in the snapshot, folders before what is in them. */
  readonly entries: ReadonlyMap<string, SourceEntry>;
  readonly problems: readonly SourceProblem[];
}

export interface ReadSource extends WalkedSource {
  /** The contents of all files that could be read, by their paths in the snapshot. */
  readonly contents: ReadonlyMap<string, Buffer>;
}

type OnEntry = (path: string, entry: SourceEntry, problems: SourceProblem[]) => Promise<void>;

async function visitAll(source: Source, signal: AbortSignal, onEntry?: OnEntry) {
  const problems: SourceProblem[] = [];
  await using session = await source.open({
    signal,
    onProblem: (problem) => problems.push(problem),
  });
  const entries = new Map<string, SourceEntry>();
  const visit = async (above: string, list: readonly SourceEntry[]): Promise<void> => {
    for (const entry of list) {
      const path = `${above}/${displayText(entry.name)}`;
      entries.set(path, entry);
      await onEntry?.(path, entry, problems);
      if (entry.metadata.type === "dir") await visit(path, await session.list(entry));
    }
  };
  await visit("", await session.root());
  return { entries, problems };
}

/** Walks a whole source, and reads no content. */
export function walkSource(
  source: Source,
  signal: AbortSignal = new AbortController().signal,
): Promise<WalkedSource> {
  return visitAll(source, signal);
}

/** Walks and reads a whole source, as the engine does: an isolated stream may fail on its own. */
export async function readSource(
  source: Source,
  signal: AbortSignal = new AbortController().signal,
): Promise<ReadSource> {
  const contents = new Map<string, Buffer>();
  const walked = await visitAll(source, signal, async (path, entry, problems) => {
    const { content } = entry;
    if (content === undefined) return;
    const chunks: Uint8Array[] = [];
    try {
      const stream =
        content.kind === "stream"
          ? content.open(signal)
          : (createReadStream(nodePath(content.path)) as AsyncIterable<Buffer>);
      for await (const chunk of stream) chunks.push(chunk);
      signal.throwIfAborted();
    } catch (error) {
      signal.throwIfAborted();
      if (content.kind === "stream" && content.isolated !== true) throw error;
      problems.push({ path: entry.path, during: "read", message: (error as Error).message });
      return;
    }
    contents.set(path, Buffer.concat(chunks));
  });
  return { ...walked, contents };
}

/** What a snapshot of it would hold, one line an entry; times and inodes aside. */
export function describeTree(
  { entries, contents }: ReadSource,
  digest: (path: string, bytes: Buffer) => string = (_, bytes) => sha256(bytes),
): string[] {
  return [...entries].flatMap(([path, { metadata }]) => {
    const bytes = contents.get(path);
    if (metadata.type === "file" && bytes === undefined) return [];
    const shown = bytes === undefined ? "" : ` ${digest(path, bytes)}`;
    return [`${metadata.type} ${(metadata.mode & 0o7777).toString(8)} ${path}${shown}`];
  });
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
