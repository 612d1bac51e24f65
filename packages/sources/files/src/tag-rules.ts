import {
  type ByteString,
  byteStringFromBytes,
  ComebackError,
  displayText,
  type SourceProblem,
} from "@comeback/core";
import {
  AT_FDCWD,
  close,
  isSystemCallError,
  O_NONBLOCK,
  O_RDONLY,
  openAt,
  readInto,
  statAtIfExists,
} from "@comeback/platform";

/** A file whose presence marks its folder's other content as not worth keeping. */
type Tag = { readonly name: ByteString; readonly header: ByteString };

/** The Cache Directory Tagging Specification (https://bford.info/cachedir/). */
const CACHE_TAG = "CACHEDIR.TAG:Signature: 8a477f597d28d172789f06886806bc55";

export type TagRuleOptions = {
  /** `name` or `name:header`: leave out what lies beside such a file that begins so. */
  readonly excludeIfPresent?: readonly ByteString[] | undefined;
  /** Leave out what lies beside a CACHEDIR.TAG file with the standard's signature. */
  readonly excludeCaches?: boolean | undefined;
};

/** The rules of `--exclude-if-present` and `--exclude-caches`. */
export class TagRules {
  readonly #tags: readonly Tag[];

  constructor(options: TagRuleOptions) {
    const specs = [...(options.excludeIfPresent ?? [])];
    if (options.excludeCaches === true) specs.push(CACHE_TAG);
    this.#tags = specs.map(parseTag);
  }

  get isEmpty(): boolean {
    return this.#tags.length === 0;
  }

  /**
   * The names that stay of those in an open folder: all of them, or where it is tagged the tag
   * file alone.
   */
  keep(
    dirFd: number,
    folder: ByteString,
    names: ByteString[],
    onProblem: (problem: SourceProblem) => void,
  ): ByteString[] {
    let kept = names;
    for (const tag of this.#tags) {
      // One that another tag excludes still counts: restic looks at the disk, too.
      if (names.includes(tag.name) && hasHeader(dirFd, tag, folder, onProblem)) {
        kept = kept.filter((name) => name === tag.name);
      }
    }
    return kept;
  }

  /** Whether an entry is left out because of a tag beside it. */
  excludes(
    folder: ByteString,
    name: ByteString,
    onProblem: (problem: SourceProblem) => void,
  ): boolean {
    return this.#tags.some((tag) => {
      if (tag.name === name) return false;
      const path = `${folder}/${tag.name}`;
      try {
        if (statAtIfExists(AT_FDCWD, path) === undefined) return false;
      } catch (error) {
        if (!isSystemCallError(error)) throw error;
        onProblem({ path, during: "exclude", message: `cannot be looked at: ${error.reason}` });
        return false;
      }
      return hasHeader(AT_FDCWD, { ...tag, name: path }, folder, onProblem);
    });
  }
}

function parseTag(spec: ByteString): Tag {
  const colon = spec.indexOf(":");
  const name = colon < 0 ? spec : spec.slice(0, colon);
  if (name === "" || name.includes("/")) {
    throw new ComebackError("option.invalid", "--exclude-if-present: no file name", {
      why: `"${displayText(spec)}" does not begin with the name of a file`,
      next: "write NAME, or NAME:HEADER where the file has to begin with HEADER",
    });
  }
  return { name, header: colon < 0 ? "" : spec.slice(colon + 1) };
}

/** Whether a tag file begins as it has to; its mere presence is enough where nothing is asked. */
function hasHeader(
  dirFd: number,
  tag: Tag,
  folder: ByteString,
  onProblem: (problem: SourceProblem) => void,
): boolean {
  if (tag.header === "") return true;
  const warn = (why: string): false => {
    const path = dirFd === AT_FDCWD ? tag.name : `${folder}/${tag.name}`;
    onProblem({ path, during: "exclude", message: `${why}, so nothing is excluded by it` });
    return false;
  };
  try {
    // A tag may be a symlink, but must not make us wait like a fifo would.
    const fd = openAt(dirFd, tag.name, O_RDONLY | O_NONBLOCK);
    try {
      const wanted = tag.header.length;
      const buffer = new Uint8Array(wanted);
      let length = 0;
      for (let bytes = -1; length < wanted && bytes !== 0; length += bytes) {
        bytes = readInto(fd, buffer, length, wanted - length, -1);
      }
      if (byteStringFromBytes(buffer.subarray(0, length)) === tag.header) return true;
      return warn(length < wanted ? "the file is too short" : "the file begins otherwise");
    } finally {
      close(fd);
    }
  } catch (error) {
    if (!isSystemCallError(error)) throw error;
    return warn(`it cannot be read (${error.reason})`);
  }
}
