import type { PinnedSource, ProtectedSource, SnapshotView } from "@comeback/core";
import { describeTree, type ReadSource, readSource } from "../sources/index.ts";

/** A small world with something to protect in it, made for one test and disposed after it. */
export interface ProtectedSourceFixture extends AsyncDisposable {
  /** Protects what is there; holds at least two items where `removeItem` is given. */
  readonly source: ProtectedSource;
  /** The state of all that a source must not change, as text. */
  world(): Promise<string>;
  /** Changes what the source would read. */
  change(): Promise<void>;
  /** Takes one item away that the source was told to protect; gives its name. */
  removeItem?(): Promise<string>;
  /** Takes everything away, or makes it unreachable. */
  removeAll(): Promise<void>;
  /** Programs, connections, descriptors that the source holds now. */
  held(): Promise<number>;
  /** What is the same of a file from one read to the next, where that is not its bytes. */
  digest?(path: string, bytes: Buffer): string;
}

export type MakeProtectedSource = () => Promise<ProtectedSourceFixture>;

const TIME = { seconds: 1_790_000_000, nanoseconds: 0 };

export interface PinForTest {
  readonly signal?: AbortSignal;
  readonly view?: SnapshotView;
}

export function pin(source: ProtectedSource, options: PinForTest = {}): Promise<PinnedSource> {
  const { signal = new AbortController().signal, view } = options;
  return source.pin({ time: TIME, view, signal, onLine() {} });
}

/** Pins, reads all, lets go. */
export async function capture(
  fixture: ProtectedSourceFixture,
): Promise<ReadSource & { readonly tree: string[]; readonly missing: readonly string[] }> {
  await using pinned = await pin(fixture.source);
  const read = await readSource(pinned.source);
  const missing = pinned.missing().map(({ name }) => name);
  return { ...read, tree: treeOf(fixture, read), missing };
}

export function treeOf(fixture: ProtectedSourceFixture, read: ReadSource): string[] {
  return describeTree(read, fixture.digest?.bind(fixture));
}
