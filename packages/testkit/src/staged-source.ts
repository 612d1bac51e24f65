import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  byteStringFromText,
  ComebackError,
  type EntryMetadata,
  type Finding,
  type PinnedSource,
  type PinOptions,
  type ProtectedSource,
  type Source,
  type SourceEntry,
  type SourceItem,
  type SourceOpenOptions,
} from "@comeback/core";

const NAME = "staged";
const TIME = { seconds: 1_700_000_000, nanoseconds: 0 };

/**
 * A folder of small files as a source that a test has in its hands: it counts what is asked of it,
 * and fails where it is told to. Each file that was there when it was made is an item.
 */
export class StagedSource implements ProtectedSource {
  readonly kind: string = "staged";
  readonly paths: readonly string[];
  readonly pinsMoment: boolean;
  readonly #folder: string;
  readonly #expected: readonly string[];
  pins = 0;
  /** How often it was opened to be read. */
  reads = 0;
  /** Pinned, and not let go of. */
  held = 0;
  /** Called at each step, with how often it was taken before; where it rejects, so does the step. */
  onProbe: () => void | Promise<void> = () => undefined;
  onPin: (before: number) => void | Promise<void> = () => undefined;
  onRead: (before: number, signal: AbortSignal) => void | Promise<void> = () => undefined;

  private constructor(folder: string, expected: readonly string[], pinsMoment: boolean) {
    this.#folder = folder;
    this.#expected = expected;
    this.paths = [folder];
    this.pinsMoment = pinsMoment;
  }

  static async of(folder: string, { pinsMoment = false } = {}): Promise<StagedSource> {
    return new StagedSource(folder, (await readdir(folder)).toSorted(), pinsMoment);
  }

  async probe({ signal }: { readonly signal: AbortSignal }): Promise<Finding[]> {
    signal.throwIfAborted();
    await this.onProbe();
    const names = await this.#namesIn(this.#folder);
    if (names.length > 0) return [{ state: "passed", subject: this.#folder, message: "is there" }];
    const next = "bring it back";
    return [{ state: "failed", subject: this.#folder, message: "nothing is there", next }];
  }

  async pin({ view, signal }: PinOptions): Promise<PinnedSource> {
    signal.throwIfAborted();
    await this.onPin(this.pins++);
    const folder = view?.pathOf(this.#folder) ?? this.#folder;
    const contents = this.pinsMoment ? await this.#contentsOf(folder) : undefined;
    const names = contents === undefined ? await this.#namesIn(folder) : [...contents.keys()];
    if (names.length === 0) throw nothingThere(this.#folder);
    this.held++;
    let isHeld = true;
    const item = (name: string): SourceItem => ({ kind: "file", name });
    return {
      source: this.#source(() => contents ?? this.#contentsOf(folder)),
      items: names.map(item),
      missing: () =>
        this.#expected
          .filter((name) => !names.includes(name))
          .map((name) => ({ ...item(name), reason: "it is not there" })),
      [Symbol.asyncDispose]: async () => {
        if (isHeld) this.held--;
        isHeld = false;
      },
    };
  }

  #source(contents: () => Map<string, Buffer> | Promise<Map<string, Buffer>>): Source {
    const folder: SourceEntry = {
      name: byteStringFromText(NAME),
      path: byteStringFromText(this.#folder),
      metadata: metadata("dir", 0),
      directory: NAME,
    };
    return {
      paths: this.paths,
      excludes: [],
      open: async ({ signal }: SourceOpenOptions) => {
        await this.onRead(this.reads++, signal);
        const files = await contents();
        return {
          root: () => [folder],
          list: () => [...files].map(([name, bytes]) => entryOf(this.#folder, name, bytes)),
          [Symbol.asyncDispose]: async () => {},
        };
      },
    };
  }

  async #namesIn(folder: string): Promise<string[]> {
    const names: string[] = await readdir(folder).catch(() => []);
    return names.toSorted();
  }

  async #contentsOf(folder: string): Promise<Map<string, Buffer>> {
    const contents = new Map<string, Buffer>();
    for (const name of await this.#namesIn(folder)) {
      const path = join(folder, name);
      if ((await stat(path)).isFile()) contents.set(name, await readFile(path));
    }
    return contents;
  }
}

function entryOf(folder: string, name: string, bytes: Buffer): SourceEntry {
  return {
    name: byteStringFromText(name),
    path: byteStringFromText(join(folder, name)),
    metadata: metadata("file", bytes.byteLength),
    content: {
      kind: "stream",
      async *open(signal: AbortSignal) {
        yield bytes;
        signal.throwIfAborted();
      },
    },
  };
}

function metadata(type: "file" | "dir", sizeBytes: number): EntryMetadata {
  return {
    type,
    mode: type === "dir" ? 0o040755 : 0o100644,
    mtime: TIME,
    atime: TIME,
    ctime: TIME,
    uid: 0,
    gid: 0,
    user: "",
    group: "",
    inode: 0,
    deviceId: 0,
    sizeBytes,
    links: 0,
  };
}

function nothingThere(folder: string): ComebackError {
  return new ComebackError("source.unavailable", `nothing is at ${folder}`, {
    next: "bring it back",
  });
}
