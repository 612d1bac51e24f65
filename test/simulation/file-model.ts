import type {
  EntryMetadata,
  Instant,
  Source,
  SourceEntry,
  SourceOpenOptions,
  SourceSession,
} from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";

/** A tree of files in memory: what each path (two folders deep) holds, by number of the content. */
export type FileModel = ReadonlyMap<string, number>;

const FOLDERS = ["a", "b", "c"];
const NAMES = ["1", "2", "3", "4"];
/** Few, so that clients share them, and what one removes another one stores again. */
const CONTENTS = 14;
const CONTENT_MIN_BYTES = 60;
const CONTENT_MAX_BYTES = 1_500;

const contents: Buffer[] = [];

/** The bytes of a content; half of it does not compress. */
export function contentOf(number: number): Buffer {
  contents[number] ??= newContent(number);
  return contents[number];
}

function newContent(number: number): Buffer {
  const random = new SeededRandom(7_000 + number);
  const bytes = Buffer.alloc(random.integer(CONTENT_MIN_BYTES, CONTENT_MAX_BYTES), number);
  random.fill(bytes.subarray(0, bytes.length >> 1));
  return bytes;
}

/** A tree to begin with. */
export function newModel(random: SeededRandom): FileModel {
  let model: FileModel = new Map();
  for (let i = random.integer(2, 5); i > 0; i--) model = changedModel(model, random);
  return model;
}

/** The same tree after somebody worked on it. */
export function changedModel(model: FileModel, random: SeededRandom): FileModel {
  const changed = new Map(model);
  for (let i = random.integer(0, 3); i > 0; i--) {
    const path = `${random.pick(FOLDERS)}/${random.pick(NAMES)}`;
    if (changed.has(path) && random.chance(40)) changed.delete(path);
    else changed.set(path, random.integer(0, CONTENTS - 1));
  }
  return changed;
}

function instant(seconds: number): Instant {
  return { seconds: 1_700_000_000 + seconds, nanoseconds: 0 };
}

function metadata(type: "file" | "dir", time: number, sizeBytes: number): EntryMetadata {
  return {
    type,
    mode: type === "file" ? 0o100644 : 0o040755,
    mtime: instant(time),
    atime: instant(time),
    ctime: instant(time),
    uid: 0,
    gid: 0,
    user: "",
    group: "",
    inode: 1 + time,
    deviceId: 1,
    sizeBytes,
    links: 1,
  };
}

/** The model as something that can be backed up. Its times say which content a file has. */
export function sourceOf(model: FileModel, path: string): Source {
  return {
    paths: [path],
    excludes: [],
    open: (options: SourceOpenOptions) => Promise.resolve(new ModelSession(model, options)),
  };
}

class ModelSession implements SourceSession {
  readonly #model: FileModel;

  constructor(model: FileModel, { signal }: SourceOpenOptions) {
    signal.throwIfAborted();
    this.#model = model;
  }

  root(): SourceEntry[] {
    const folders = new Set([...this.#model.keys()].map((path) => path.slice(0, 1)));
    return [...folders].sort().map((name) => ({
      name,
      path: `/${name}`,
      metadata: metadata("dir", 0, 0),
      directory: name,
    }));
  }

  list(directory: SourceEntry): SourceEntry[] {
    const inside = [...this.#model].filter(([path]) => path.startsWith(directory.name));
    return inside.sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, number]) => file(path, number));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function file(path: string, number: number): SourceEntry {
  const bytes = contentOf(number);
  return {
    name: path.slice(2),
    path: `/${path}`,
    metadata: metadata("file", number, bytes.length),
    content: {
      kind: "stream",
      comparable: true,
      async *open() {
        yield bytes;
      },
    },
  };
}
