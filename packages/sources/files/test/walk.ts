import type { Source, SourceEntry, SourceProblem, SourceSession } from "@comeback/core";

export type Walked = {
  /** Every entry by its place in the snapshot. */
  readonly entries: ReadonlyMap<string, SourceEntry>;
  readonly problems: readonly SourceProblem[];
};

export async function openSource(
  source: Source,
  problems: SourceProblem[] = [],
): Promise<SourceSession> {
  return source.open({
    signal: new AbortController().signal,
    onProblem: (problem) => problems.push(problem),
  });
}

/** Walks a whole source. */
export async function walk(source: Source): Promise<Walked> {
  const problems: SourceProblem[] = [];
  await using session = await openSource(source, problems);
  const entries = new Map<string, SourceEntry>();
  const visit = async (above: string, list: readonly SourceEntry[]): Promise<void> => {
    for (const entry of list) {
      const path = `${above}/${entry.name}`;
      entries.set(path, entry);
      if (entry.metadata.type === "dir") await visit(path, await session.list(entry));
    }
  };
  await visit("", await session.root());
  return { entries, problems };
}

/** The places below a folder, without what leads there. */
export function below(walked: Walked, folder: string): string[] {
  return [...walked.entries.keys()]
    .filter((path) => path.startsWith(`${folder}/`))
    .map((path) => path.slice(folder.length + 1));
}
