import {
  type ByteString,
  byteStringFromText,
  cleanPath,
  ComebackError,
  type Finding,
  type PinnedSource,
  type PinOptions,
  type ProtectedSource,
  type SnapshotView,
  type Source,
  type SourceItem,
  type SourceProblem,
} from "@comeback/core";
import { AT_FDCWD, isSystemCallError, statAtIfExists } from "@comeback/platform";
import type { EntryRuleOptions } from "./entry-rules.ts";
import { createFilesSource } from "./files-source.ts";
import { probePath } from "./probe-path.ts";

export type ProtectFilesOptions = EntryRuleOptions & {
  /** Absolute; files and folders, no patterns. */
  readonly paths: readonly string[];
};

type MissingItem = SourceItem & { readonly reason: string };

/**
 * Files and folders that a plan protects. Read through a snapshotter's view, they keep their own
 * paths. A path that is not there is missing; where none is there, `pin` rejects with
 * `backup.no-source`.
 */
export function protectFiles(options: ProtectFilesOptions): ProtectedSource {
  const { paths } = options;
  if (paths.length === 0 || paths.some((path) => !path.startsWith("/"))) {
    throw new ComebackError("configuration.invalid", "a source of files needs absolute paths", {
      next: "name at least one path, each from the root: /srv/shop",
    });
  }
  return {
    kind: "files",
    paths,
    pinsMoment: false,
    async probe({ signal }): Promise<Finding[]> {
      signal.throwIfAborted();
      return paths.map(probePath);
    },
    async pin(pin: PinOptions): Promise<PinnedSource> {
      pin.signal.throwIfAborted();
      return pinFiles(options, pin.view);
    },
  };
}

function pinFiles(
  { paths, ...rules }: ProtectFilesOptions,
  view: SnapshotView | undefined,
): PinnedSource {
  const frozen = view === undefined ? [] : paths.map((path) => frozenPath(path, view));
  const readAt = (path: ByteString): ByteString | undefined => mapPath(path, frozen);
  const targets = paths.map(placeOf);
  const source = createFilesSource({
    ...rules,
    targets,
    ...(view === undefined ? {} : { readAt }),
  });
  const missing = new Map<ByteString, MissingItem>();
  const items: SourceItem[] = [];
  for (const [i, path] of paths.entries()) {
    const target = targets[i]!;
    const item = { kind: "path", name: path };
    if (isThere(readAt(target) ?? target)) items.push(item);
    else missing.set(target, { ...item, reason: "does not exist" });
  }
  /** A path of the configuration that cannot be read is as good as gone. */
  const notice = ({ path, during, message }: SourceProblem): void => {
    const at = targets.indexOf(path);
    if (at < 0 || during === "xattr" || missing.has(path)) return;
    missing.set(path, { kind: "path", name: paths[at]!, reason: message });
  };
  return {
    source: noticing(source, notice),
    items,
    missing: () => [...missing.values()],
    ...(view === undefined ? {} : { ignoresInodes: true }),
    async [Symbol.asyncDispose]() {
      // Descriptors belong to the sessions.
    },
  };
}

function noticing(source: Source, notice: (problem: SourceProblem) => void): Source {
  return {
    ...source,
    open: ({ signal, onProblem }) =>
      source.open({
        signal,
        onProblem(problem) {
          notice(problem);
          onProblem(problem);
        },
      }),
  };
}

type FrozenPath = { readonly path: ByteString; readonly at: ByteString };

function placeOf(path: string): ByteString {
  return cleanPath(byteStringFromText(path));
}

function frozenPath(path: string, view: SnapshotView): FrozenPath {
  return { path: placeOf(path), at: placeOf(view.pathOf(path)) };
}

/** The longest frozen path at or above this one says where it is; the others are as they are. */
function mapPath(path: ByteString, frozen: readonly FrozenPath[]): ByteString | undefined {
  let nearest: FrozenPath | undefined;
  for (const each of frozen) {
    const isAbove = each.path === "/" || path === each.path || path.startsWith(`${each.path}/`);
    if (isAbove && each.path.length >= (nearest?.path.length ?? 0)) nearest = each;
  }
  if (nearest === undefined) return undefined;
  return cleanPath(`${nearest.at}/${path.slice(nearest.path.length)}`);
}

function isThere(path: ByteString): boolean {
  try {
    return statAtIfExists(AT_FDCWD, path) !== undefined;
  } catch (error) {
    if (isSystemCallError(error)) return error.code !== "ENOTDIR";
    throw error;
  }
}
