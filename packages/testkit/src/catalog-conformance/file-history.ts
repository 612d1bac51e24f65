import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ByteString,
  type FileChange,
  type FileVersion,
  isComebackError,
} from "@comeback/core";
import { SeededRandom } from "../seeded-random.ts";
import { each, makeSnapshot, type MakeCatalog, START_MS } from "./fixture.ts";

const SEEDS = 10;
const PATHS: readonly ByteString[] = ["/a", "/a b", "/\xff\xfe", "/%", "/dir/ä", "/dir/b"];

type Version = NonNullable<FileChange["version"]>;
type Tree = ReadonlyMap<ByteString, Version>;

function snapshot(number: number) {
  return makeSnapshot({ snapshotId: `snapshot ${number}`, atMs: START_MS + number });
}

function version(content: number): Version {
  return { sizeBytes: content, modifiedAtMs: START_MS + content, contentHash: `hash ${content}` };
}

export function testFileHistory(make: MakeCatalog): void {
  test("file versions are what the trees of all snapshots say", async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      await using fixture = await make();
      const { store } = fixture;
      const random = new SeededRandom(seed);
      const trees: Tree[] = [];
      const { plan, source } = snapshot(0);
      for (let number = 0; number < 12; number++) {
        const before = trees.at(-1) ?? new Map<ByteString, Version>();
        const now = changed(before, random);
        const isWholeTree = number === 0 || random.chance(30);
        if (random.chance(20)) {
          const cut = failing(changesBetween(before, changed(before, random)));
          await assert.rejects(store.recordFileChanges(snapshot(number), cut), /cut off/);
        }
        const changes = isWholeTree
          ? [...now].map(([path, item]): FileChange => ({ path, version: item }))
          : changesBetween(before, now);
        await store.recordFileChanges(snapshot(number), each(changes), { isWholeTree });
        trees.push(now);
        const { snapshotId, atMs } = snapshot(number);
        assert.deepEqual(await store.readFileHistoryHead(plan, source), { snapshotId, atMs });
      }
      for (const path of [...PATHS, "/none"]) {
        const found = await store.listFileVersions(plan, source, path);
        assert.deepEqual(found, versionsIn(trees, path), `seed ${seed}, ${JSON.stringify(path)}`);
      }
    }
  });

  test("what is recorded already is not recorded again, and other sources are others", async () => {
    await using fixture = await make();
    const { store } = fixture;
    const change = (content: number): FileChange => ({ path: "/a", version: version(content) });
    await store.recordFileChanges(snapshot(0), each([change(1)]));
    await store.recordFileChanges(snapshot(0), each([change(2)]));
    const other = { ...snapshot(1), source: "db" };
    await store.recordFileChanges(other, each([change(3)]));
    const [found, ...rest] = await store.listFileVersions("shop", "content", "/a");
    assert.deepEqual(rest, []);
    assert.equal(found?.contentHash, "hash 1");
    assert.equal(found?.lastSnapshotId, "snapshot 0");
    assert.equal(await store.readFileHistoryHead("shop", "none"), undefined);
    assert.deepEqual(await store.listFileVersions("mail", "content", "/a"), []);
    assert.deepEqual(await store.listFileHistories(), [
      { plan: "shop", source: "content" },
      { plan: "shop", source: "db" },
    ]);
  });
}

export function testLongRecordings(make: MakeCatalog): void {
  test("thousands of changes, nothing of which is seen before the last", async () => {
    await using fixture = await make();
    const { store } = fixture;
    const path = (i: number): ByteString => `/file ${i}`;
    const first = Array.from({ length: 1_700 }, (_, i) => ({ path: path(i), version: version(1) }));
    await store.recordFileChanges(snapshot(0), each(first));
    const seen: FileVersion[][] = [];
    async function* changes(): AsyncGenerator<FileChange> {
      for (let i = 0; i < 1_700; i++) yield { path: path(i), version: version(2) };
      // Hundreds are written by now, and do not count.
      seen.push(await store.listFileVersions("shop", "content", path(0)));
    }
    await store.recordFileChanges(snapshot(1), changes());
    const found = await store.listFileVersions("shop", "content", path(0));
    assert.deepEqual(
      found.map(({ sizeBytes }) => sizeBytes),
      [2, 1],
    );
    assert.deepEqual(seen, [found.slice(1)]);
  });

  test("a recording that another one took over says so, and leaves nothing", async () => {
    await using fixture = await make();
    const { store } = fixture;
    await store.recordFileChanges(snapshot(0), each([{ path: "/a", version: version(1) }]));
    async function* changes(): AsyncGenerator<FileChange> {
      yield { path: "/a", version: version(2) };
      await store.recordFileChanges(snapshot(2), each([{ path: "/a", version: version(3) }]));
    }
    await assert.rejects(store.recordFileChanges(snapshot(1), changes()), (error) =>
      isComebackError(error, "catalog.unusable"),
    );
    const found = await store.listFileVersions("shop", "content", "/a");
    assert.deepEqual(
      found.map(({ sizeBytes }) => sizeBytes),
      [3, 1],
    );
  });
}

function changed(tree: Tree, random: SeededRandom): Tree {
  const next = new Map(tree);
  for (const path of PATHS) {
    if (!random.chance(40)) continue;
    if (random.chance(30)) next.delete(path);
    else next.set(path, version(random.integer(1, 4)));
  }
  return next;
}

function changesBetween(before: Tree, after: Tree): FileChange[] {
  const changes: FileChange[] = [];
  for (const path of PATHS) {
    const [a, b] = [before.get(path), after.get(path)];
    if (a?.contentHash !== b?.contentHash) changes.push({ path, ...(b && { version: b }) });
  }
  return changes;
}

async function* failing(changes: readonly FileChange[]): AsyncGenerator<FileChange> {
  yield* each(changes);
  throw new Error("cut off");
}

function versionsIn(trees: readonly Tree[], path: ByteString): FileVersion[] {
  const versions: FileVersion[] = [];
  trees.forEach((tree, number) => {
    const now = tree.get(path);
    if (now === undefined) return;
    const { snapshotId, atMs } = snapshot(number);
    const before = trees[number - 1]?.get(path);
    const last = { lastSnapshotId: snapshotId, lastAtMs: atMs };
    const known = versions.at(-1);
    if (before?.contentHash === now.contentHash && known !== undefined) {
      versions[versions.length - 1] = { ...known, ...last };
    } else {
      versions.push({ path, ...now, firstSnapshotId: snapshotId, firstAtMs: atMs, ...last });
    }
  });
  return versions.toReversed();
}
