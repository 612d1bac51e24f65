import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { PinnedSource, ProtectedSource, SnapshotView } from "@comeback/core";
import { protectedSourceConformance, readSource } from "@comeback/testkit";
import { protectFiles } from "../src/index.ts";
import { scratchFolder } from "./scratch-folder.ts";

function openBelow(folder: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return false;
    }
  }).length;
}

protectedSourceConformance("files", async () => {
  const folder = mkdtempSync(join(tmpdir(), "comeback-files-"));
  for (const file of ["shop/a", "shop/inner/b", "mail/c"]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), file);
  }
  const paths = [join(folder, "shop"), join(folder, "mail")];
  return {
    source: protectFiles({ paths }),
    world: async () =>
      execFileSync("find", [folder, "-printf", "%p %T@ %s %m\n"], { encoding: "utf8" }),
    change: async () => appendFileSync(join(folder, "shop/a"), "more"),
    async removeItem() {
      rmSync(paths[1]!, { recursive: true });
      return paths[1]!;
    },
    removeAll: async () => paths.forEach((path) => rmSync(path, { recursive: true })),
    held: async () => openBelow(folder),
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
  };
});

function pin(source: ProtectedSource, view?: SnapshotView): Promise<PinnedSource> {
  const { signal } = new AbortController();
  return source.pin({ time: { seconds: 1, nanoseconds: 0 }, view, signal, onLine() {} });
}

test("read through a snapshot, files keep their paths, and their excludes", async (t) => {
  const folder = scratchFolder(t, ["shop/a", "shop/cache/b", "shop/ü/c", "mail/d", "live-only"]);
  const frozen = join(folder, "frozen");
  cpSync(join(folder, "shop"), join(frozen, "one"), { recursive: true });
  cpSync(join(folder, "mail"), join(frozen, "two"), { recursive: true });
  appendFileSync(join(folder, "shop/a"), " changed");
  rmSync(join(folder, "mail"), { recursive: true });
  const places: Readonly<Record<string, string>> = {
    [join(folder, "shop")]: join(frozen, "one"),
    [join(folder, "mail")]: join(frozen, "two"),
  };
  const view = { pathOf: (path: string) => places[path] ?? assert.fail(path) };
  const source = protectFiles({
    paths: Object.keys(places),
    exclude: [join(folder, "shop/cache")],
    oneFileSystem: true,
  });
  await using pinned = await pin(source, view);
  const { contents, problems } = await readSource(pinned.source);
  assert.deepEqual(problems, []);
  assert.deepEqual(pinned.missing(), []);
  assert.equal(pinned.ignoresInodes, true);
  assert.deepEqual(pinned.source.paths, Object.keys(places));
  assert.deepEqual(
    [...contents].map(([path, bytes]) => [path, bytes.toString()]),
    [
      [join(folder, "mail/d"), "content of mail/d"],
      [join(folder, "shop/a"), "content of shop/a"],
      [join(folder, "shop/ü/c"), "content of shop/ü/c"],
    ],
  );
});

test("a path that is not in the snapshot is missing, though it is there now", async (t) => {
  const folder = scratchFolder(t, ["shop/a", "mail/b", "frozen/shop/a"]);
  const paths = [join(folder, "shop"), join(folder, "mail")];
  const view = { pathOf: (path: string) => path.replace(folder, join(folder, "frozen")) };
  await using pinned = await pin(protectFiles({ paths }), view);
  await readSource(pinned.source);
  assert.deepEqual(pinned.missing(), [{ kind: "path", name: paths[1], reason: "does not exist" }]);
});

test("a path that goes while it is read is missing", async (t) => {
  const folder = scratchFolder(t, ["shop/a", "mail/b"]);
  const paths = [join(folder, "shop"), join(folder, "mail")];
  await using pinned = await pin(protectFiles({ paths }));
  rmSync(paths[1]!, { recursive: true });
  const { problems } = await readSource(pinned.source);
  assert.equal(problems.length, 1);
  assert.deepEqual(
    pinned.missing().map(({ name }) => name),
    [paths[1]],
  );
});

test("a probe tells what would be saved of a link and of an empty folder", async (t) => {
  const folder = scratchFolder(t, ["full/a", "empty/", "file"]);
  symlinkSync(join(folder, "full"), join(folder, "link"));
  const names = ["full", "file", "empty", "link", "gone"];
  const source = protectFiles({ paths: names.map((name) => join(folder, name)) });
  const findings = await source.probe(new AbortController());
  assert.deepEqual(
    findings.map(({ state }) => state),
    ["passed", "passed", "warning", "warning", "failed"],
  );
});

test("paths that are not absolute are refused", () => {
  for (const paths of [[], ["srv"], ["/srv", "."]]) assert.throws(() => protectFiles({ paths }));
});
