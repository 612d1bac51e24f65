import { ComebackError, type SnapshotView } from "@comeback/core";

/**
 * What `create` prints: one JSON object of paths and where they are frozen, or a line each, with a
 * tab between. Every path that was asked for must be covered, by itself or by one above it.
 */
export function parseFrozenPaths(printed: string, paths: readonly string[]): SnapshotView {
  const frozen = printed.trimStart().startsWith("{") ? fromJson(printed) : fromLines(printed);
  for (const [path, at] of frozen) {
    if (!path.startsWith("/") || !at.startsWith("/")) {
      throw unclear(`"${path}" and "${at}" are not both absolute`);
    }
  }
  const view = viewOf(frozen);
  for (const path of paths) view.pathOf(path);
  return view;
}

function fromJson(printed: string): Map<string, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(printed);
  } catch {
    throw unclear("it begins as JSON and is none");
  }
  const entries = Object.entries(parsed as Record<string, unknown>);
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === "string")) {
    throw unclear("its JSON is not an object of paths");
  }
  return new Map(entries.map(([path, at]) => [withoutSlash(path), withoutSlash(at)]));
}

function fromLines(printed: string): Map<string, string> {
  const lines = printed.split("\n").filter((line) => line !== "");
  return new Map(
    lines.map((line) => {
      const [path, at, ...more] = line.split("\t");
      if (path === undefined || at === undefined || more.length > 0) {
        throw unclear(`the line "${line.slice(0, 200)}" is not a path, a tab, and a path`);
      }
      return [withoutSlash(path), withoutSlash(at)];
    }),
  );
}

function withoutSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, "") : path;
}

function viewOf(frozen: ReadonlyMap<string, string>): SnapshotView {
  return {
    pathOf(path) {
      for (
        let above = withoutSlash(path);
        ;
        above = above.slice(0, above.lastIndexOf("/")) || "/"
      ) {
        const at = frozen.get(above);
        if (at !== undefined) {
          const below = withoutSlash(path).slice(above === "/" ? 0 : above.length);
          return withoutSlash(`${at === "/" ? "" : at}${below}`) || "/";
        }
        if (above === "/") throw unclear(`it does not say where ${path} is`);
      }
    },
  };
}

function unclear(why: string): ComebackError {
  return new ComebackError(
    "snapshotter.failed",
    "the snapshotter's create printed what is unclear",
    {
      why,
      next: 'let it print {"/srv/shop": "/mnt/frozen/shop"}, or "/srv/shop", a tab, and the other path',
    },
  );
}
