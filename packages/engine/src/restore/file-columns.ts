import type { ByteString } from "@comeback/core";
import type { EntryAttributes } from "./entry-attributes.ts";
import type { FileAction, FileColumnsData, TaskFile } from "./tasks.ts";

/**
 * Files on their way to a worker: all numbers in one array, all names in one string, because
 * copying an object for each file between threads costs more than restoring a small file.
 */
const DIRECTORY = 0;
const ACTION = 1;
const MODE = 2;
const UID = 3;
const GID = 4;
const MTIME = 5;
const ATIME = 7;
const SIZE = 9;
const FD = 10;
const USES = 11;
const FLAGS = 12;
const COLUMNS = 13;

const FLAG_SPARSE = 1;
const FLAG_PLAIN = 2;

/** No file name holds it. */
const SEPARATOR = "/";

export interface EncodedFiles {
  readonly directories: ByteString[];
  readonly files: FileColumnsData;
}

/** `directoryOf` gives the path of each file's directory; neighbours mostly share one. */
export function encodeFiles(
  files: readonly TaskFile[],
  directoryOf: (index: number) => ByteString,
): EncodedFiles {
  const numbers = new Float64Array(files.length * COLUMNS);
  const directories: ByteString[] = [];
  const attributes = new Map<number, EntryAttributes["extendedAttributes"]>();
  const names: ByteString[] = [];
  for (let i = 0; i < files.length; i++) {
    const file = files[i] as TaskFile;
    const directory = directoryOf(i);
    if (directories.at(-1) !== directory) directories.push(directory);
    const { mode, uid, gid, mtime, atime, extendedAttributes } = file.attributes;
    const at = i * COLUMNS;
    numbers[at + DIRECTORY] = directories.length - 1;
    numbers[at + ACTION] = file.action;
    numbers[at + MODE] = mode;
    numbers[at + UID] = uid;
    numbers[at + GID] = gid;
    numbers[at + MTIME] = mtime.seconds;
    numbers[at + MTIME + 1] = mtime.nanoseconds;
    numbers[at + ATIME] = atime.seconds;
    numbers[at + ATIME + 1] = atime.nanoseconds;
    numbers[at + SIZE] = file.sizeBytes;
    numbers[at + FD] = file.fd;
    numbers[at + USES] = file.uses;
    numbers[at + FLAGS] = (file.sparse ? FLAG_SPARSE : 0) | (file.plainDirectory ? FLAG_PLAIN : 0);
    names.push(file.name);
    if (extendedAttributes !== undefined) attributes.set(i, extendedAttributes);
  }
  return { directories, files: { names: names.join(SEPARATOR), numbers, attributes } };
}

/**
 * The files of a message as they arrived. One object stands for all of them, one after the other:
 * what is taken out of it must be taken before the next `select`.
 */
export class FileColumns implements TaskFile {
  readonly count: number;
  readonly #names: string[];
  readonly #numbers: Float64Array;
  readonly #extended: FileColumnsData["attributes"];
  readonly #mtime = { seconds: 0, nanoseconds: 0 };
  readonly #atime = { seconds: 0, nanoseconds: 0 };
  #index = 0;
  #at = 0;

  constructor({ names, numbers, attributes }: FileColumnsData) {
    this.count = numbers.length / COLUMNS;
    this.#names = this.count === 0 ? [] : names.split(SEPARATOR);
    this.#numbers = numbers;
    this.#extended = attributes;
  }

  select(index: number): this {
    this.#index = index;
    this.#at = index * COLUMNS;
    return this;
  }

  get name(): ByteString {
    return this.#names[this.#index] as ByteString;
  }
  get directory(): number {
    return this.#number(DIRECTORY);
  }
  get action(): FileAction {
    return this.#number(ACTION) as FileAction;
  }
  get sizeBytes(): number {
    return this.#number(SIZE);
  }
  get fd(): number {
    return this.#number(FD);
  }
  get uses(): number {
    return this.#number(USES);
  }
  get sparse(): boolean {
    return (this.#number(FLAGS) & FLAG_SPARSE) !== 0;
  }
  get plainDirectory(): boolean {
    return (this.#number(FLAGS) & FLAG_PLAIN) !== 0;
  }

  get attributes(): EntryAttributes {
    const mtime = this.#mtime;
    const atime = this.#atime;
    mtime.seconds = this.#number(MTIME);
    mtime.nanoseconds = this.#number(MTIME + 1);
    atime.seconds = this.#number(ATIME);
    atime.nanoseconds = this.#number(ATIME + 1);
    const [mode, uid, gid] = [this.#number(MODE), this.#number(UID), this.#number(GID)];
    const extendedAttributes = this.#extended.get(this.#index);
    return { mode, uid, gid, mtime, atime, extendedAttributes };
  }

  #number(column: number): number {
    return this.#numbers[this.#at + column] as number;
  }
}
