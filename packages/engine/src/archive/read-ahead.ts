import type {
  Source,
  SourceEntry,
  SourceOpenOptions,
  SourceProblem,
  SourceSession,
} from "@comeback/core";
import { READ_AHEAD_MAX_ENTRIES, WALK_SLICE_MS } from "@comeback/core";

/** A source that is being walked already, while the repository is still being opened. */
export interface ReadAheadSource extends Source, AsyncDisposable {}

/**
 * Starts to walk a source at once, up to READ_AHEAD_MAX_ENTRIES entries, until `open` is called:
 * the time in which another thread derives the key is then not lost. The session that `open` gives
 * answers from what was walked first.
 */
export function readAhead(source: Source, signal: AbortSignal): ReadAheadSource {
  return new ReadAhead(source, signal);
}

class ReadAhead implements ReadAheadSource {
  readonly paths: readonly string[];
  readonly excludes: readonly string[];
  readonly #source: Source;
  readonly #stop = new AbortController();
  readonly #listed = new Map<SourceEntry, readonly SourceEntry[]>();
  readonly #session: Promise<SourceSession>;
  readonly #walk: Promise<void>;
  #problems: SourceProblem[] = [];
  #onProblem: ((problem: SourceProblem) => void) | undefined;
  #root: readonly SourceEntry[] | undefined;
  #isHandedOut = false;

  constructor(source: Source, signal: AbortSignal) {
    this.#source = source;
    this.paths = source.paths;
    this.excludes = source.excludes;
    this.#session = source.open({ signal, onProblem: (problem) => this.#report(problem) });
    this.#walk = this.#session.then((session) => this.#walkAhead(session));
    // Whoever calls `open` gets the failure.
    this.#walk.catch(() => {});
  }

  async open(options: SourceOpenOptions): Promise<SourceSession> {
    // Only one walk was begun; a second session (to count totals) is an ordinary one.
    if (this.#isHandedOut) return this.#source.open(options);
    this.#isHandedOut = true;
    this.#stop.abort();
    await this.#walk;
    const session = await this.#session;
    for (const problem of this.#problems) options.onProblem(problem);
    this.#problems = [];
    this.#onProblem = (problem) => options.onProblem(problem);
    return {
      root: () => this.#takeRoot() ?? session.root(),
      list: (directory) => this.#take(directory) ?? session.list(directory),
      [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
    };
  }

  /** Ends a walk that nobody came to use. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isHandedOut) return;
    this.#stop.abort();
    await this.#walk.catch(() => {});
    const session = await this.#session.catch(() => undefined);
    await session?.[Symbol.asyncDispose]();
  }

  async #walkAhead(session: SourceSession): Promise<void> {
    let entries = await session.root();
    this.#root = entries;
    let count = entries.length;
    const stack = [...entries].reverse();
    let sliceEndMs = performance.now() + WALK_SLICE_MS;
    for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
      if (entry.metadata.type !== "dir") continue;
      if (count >= READ_AHEAD_MAX_ENTRIES || this.#stop.signal.aborted) return;
      entries = await session.list(entry);
      this.#listed.set(entry, entries);
      count += entries.length;
      for (let i = entries.length - 1; i >= 0; i--) {
        const below = entries[i] as SourceEntry;
        if (below.metadata.type === "dir") stack.push(below);
      }
      if (performance.now() > sliceEndMs) {
        await new Promise((resolve) => setImmediate(resolve));
        sliceEndMs = performance.now() + WALK_SLICE_MS;
      }
    }
  }

  #takeRoot(): SourceEntry[] | undefined {
    const root = this.#root;
    this.#root = undefined;
    return root as SourceEntry[] | undefined;
  }

  #take(directory: SourceEntry): SourceEntry[] | undefined {
    const entries = this.#listed.get(directory);
    this.#listed.delete(directory);
    return entries as SourceEntry[] | undefined;
  }

  #report(problem: SourceProblem): void {
    if (this.#onProblem === undefined) this.#problems.push(problem);
    else this.#onProblem(problem);
  }
}
