import {
  ComebackError,
  displayText,
  type Source,
  type SourceEntry,
  type SourceOpenOptions,
  type SourceSession,
} from "@comeback/core";

/**
 * Several sources in one snapshot, beside each other. The read rejects with `configuration.invalid`
 * where two of them have one name at the top.
 */
export function joinedSource(sources: readonly Source[]): Source {
  return {
    paths: sources.flatMap(({ paths }) => paths),
    excludes: sources.flatMap(({ excludes }) => excludes),
    async open(options: SourceOpenOptions): Promise<SourceSession> {
      await using opened = new AsyncDisposableStack();
      const sessions: SourceSession[] = [];
      for (const source of sources) sessions.push(opened.use(await source.open(options)));
      return new JoinedSession(sessions, opened.move());
    },
  };
}

class JoinedSession implements SourceSession {
  readonly #sessions: readonly SourceSession[];
  readonly #opened: AsyncDisposableStack;
  /** Whose folder an entry is. */
  readonly #owners = new WeakMap<SourceEntry, SourceSession>();

  constructor(sessions: readonly SourceSession[], opened: AsyncDisposableStack) {
    this.#sessions = sessions;
    this.#opened = opened;
  }

  async root(): Promise<SourceEntry[]> {
    const all = new Map<string, SourceEntry>();
    for (const session of this.#sessions) {
      for (const entry of this.#owned(session, await session.root())) {
        if (all.has(entry.name)) throw taken(entry);
        all.set(entry.name, entry);
      }
    }
    return [...all.keys()].sort().map((name) => all.get(name)!);
  }

  async list(directory: SourceEntry): Promise<SourceEntry[]> {
    const session = this.#owners.get(directory);
    if (session === undefined) throw new TypeError("not a folder of this source");
    return this.#owned(session, await session.list(directory));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }

  #owned(session: SourceSession, entries: SourceEntry[]): SourceEntry[] {
    for (const entry of entries) {
      if (entry.metadata.type === "dir") this.#owners.set(entry, session);
    }
    return entries;
  }
}

function taken({ name }: SourceEntry): ComebackError {
  const shown = displayText(name);
  return new ComebackError("configuration.invalid", `/${shown} is in the snapshot twice`, {
    why: "two parts of one source have this name at the top",
    next: "leave one of them out, or give it a plan of its own",
  });
}
