import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ByteString, ComebackError } from "@comeback/core";
import { listSnapshots } from "../../src/repository/snapshots.ts";
import { executeRewrite } from "../../src/rewrite/execute-rewrite.ts";
import { planRewrite } from "../../src/rewrite/plan-rewrite.ts";
import type { PlanRewriteOptions, RewriteProgress } from "../../src/rewrite/rewrite-options.ts";
import { HOLD_TAG } from "../../src/snapshot/hold.ts";
import type { Snapshot } from "../../src/snapshot/snapshot.ts";
import { check } from "../../src/check/check.ts";
import { walkSnapshot } from "../../src/listing/walk-snapshot.ts";
import {
  dataBlob,
  fileNode,
  folderNode,
  type LooseBlob,
  RepositoryBuilder,
  treeBlob,
} from "../repository-builder.ts";

const content = dataBlob("some content");
const same = treeBlob([fileNode("keep", content)]);
const deep = treeBlob([fileNode("big.iso", content), fileNode("small", content)]);
const top = treeBlob([folderNode("a", deep), folderNode("b", same), fileNode("c.iso", content)]);

/** A repository with one snapshot of three folders. */
async function fixture(...more: readonly LooseBlob[]): Promise<RepositoryBuilder> {
  const builder = await RepositoryBuilder.create();
  const packs = [await builder.pack(content), await builder.pack(same, deep, top, ...more)];
  await builder.index(...packs);
  return builder;
}

const noIso = (path: ByteString): boolean => path.endsWith(".iso");

async function plan(
  builder: RepositoryBuilder,
  options: Omit<PlanRewriteOptions, "repository" | "snapshots">,
  snapshots?: readonly Snapshot[],
): ReturnType<typeof planRewrite> {
  const { repository } = builder;
  await repository.loadIndex({ includeMarked: true });
  const all = snapshots ?? (await listSnapshots(repository));
  return planRewrite({ repository, snapshots: all, ...options });
}

async function pathsOf(builder: RepositoryBuilder, treeId: string): Promise<string[]> {
  await using repository = await builder.reopen();
  await repository.loadIndex();
  const nodes = await Array.fromAsync(walkSnapshot(repository, treeId));
  return nodes.map(({ path }) => path);
}

function counts(builder: RepositoryBuilder): Record<string, number> {
  const sizes = [...builder.backend.contents()].map(([type, files]) => [type, files.size]);
  return Object.fromEntries(sizes) as Record<string, number>;
}

describe("rewrite", () => {
  it("leaves out what is excluded, counts the rest and keeps folders that stay the same", async () => {
    await using builder = await fixture();
    const old = await builder.snapshot(top, { tags: ["t"], label: "another program's", uid: 5 });
    const made = await plan(builder, { excludes: noIso });
    const [saved] = await executeRewrite(builder.repository, made);
    assert.ok(saved !== undefined);
    const rest = treeBlob([fileNode("small", content)]);
    const expected = treeBlob([folderNode("a", rest), folderNode("b", same)]);
    assert.equal(saved.tree, expected.id);
    assert.deepEqual(await pathsOf(builder, saved.tree), ["/a", "/a/small", "/b", "/b/keep"]);
    const { id: _old, ...kept } = old;
    const { id: _new, summary, ...file } = saved;
    assert.deepEqual(file, {
      ...kept,
      tree: expected.id,
      tags: ["t", "rewrite"],
      original: old.id,
    });
    assert.equal(summary?.total_files_processed, 2);
    assert.equal(summary?.total_bytes_processed, 2 * content.plaintext.length);
    assert.equal(summary?.backup_start, "0001-01-01T00:00:00Z");
    assert.equal(made.items[0]?.excluded, 2);
    assert.equal((await listSnapshots(builder.repository)).length, 2);
    await using again = await builder.reopen();
    assert.ok((await check({ repository: again, readData: { kind: "all" } })).ok);
  });

  it("touches no snapshot in which nothing changes, and stores nothing for it", async () => {
    await using builder = await fixture();
    await builder.snapshot(same);
    const before = counts(builder);
    const made = await plan(builder, { excludes: noIso, forget: true });
    assert.deepEqual([made.items.length, made.unchanged.length], [0, 1]);
    assert.deepEqual(await executeRewrite(builder.repository, made), []);
    assert.deepEqual(counts(builder), before);
    const { hostname, time } = (await listSnapshots(builder.repository))[0] as Snapshot;
    assert.equal(hostname, undefined);
    const seconds = Math.floor(Date.parse(time) / 1000);
    const sameTime = { seconds, nanoseconds: 678_000_000 };
    assert.equal((await plan(builder, { time: sameTime })).unchanged.length, 1);
  });

  it("gives another host and time without reading a tree", async () => {
    await using builder = await fixture();
    const old = await builder.snapshot(top, { hostname: "old", tree: "ee".repeat(32) });
    const time = { seconds: 1_700_000_000, nanoseconds: 0 };
    const made = await plan(builder, { hostname: "new", time, forget: true });
    const [saved] = await executeRewrite(builder.repository, made);
    assert.deepEqual([saved?.hostname, Date.parse(saved?.time ?? "")], ["new", 1_700_000_000_000]);
    assert.deepEqual(
      [saved?.original, saved?.tags, saved?.summary],
      [old.id, undefined, undefined],
    );
    const left = await listSnapshots(builder.repository);
    assert.deepEqual(
      left.map(({ id }) => id),
      [saved?.id],
    );
  });

  it("adds a summary only where there is none", async () => {
    await using builder = await fixture();
    await builder.snapshot(top);
    const made = await plan(builder, { summarize: true, forget: true });
    const [saved] = await executeRewrite(builder.repository, made);
    assert.equal(saved?.summary?.total_files_processed, 4);
    assert.equal(saved?.tree, top.id);
    assert.equal((await plan(builder, { summarize: true })).unchanged.length, 1);
  });

  it("writes nothing in a dry run, and foretells the ids of the trees", async () => {
    await using builder = await fixture();
    await builder.snapshot(top);
    const before = counts(builder);
    const dry = await plan(builder, { excludes: noIso, dryRun: true });
    assert.deepEqual(counts(builder), before);
    await assert.rejects(executeRewrite(builder.repository, dry), /dry run/);
    const made = await plan(builder, { excludes: noIso });
    assert.deepEqual(made.items, dry.items);
  });

  it("keeps what is held, and what cannot be read, and rewrites the others", async () => {
    const lost = treeBlob([fileNode("never stored", content)]);
    const broken = treeBlob([folderNode("gone", lost), fileNode("d.iso", content)]);
    await using builder = await fixture(broken);
    const held = await builder.snapshot(top, { tags: [HOLD_TAG], time: "2026-01-01T00:00:00Z" });
    const bad = await builder.snapshot(broken, { time: "2026-01-02T00:00:00Z" });
    await builder.snapshot(top, { time: "2026-01-03T00:00:00Z" });
    const made = await plan(builder, { excludes: noIso, forget: true });
    assert.deepEqual(
      made.failed.map(({ snapshot }) => snapshot.id),
      [held.id, bad.id],
    );
    assert.match(made.failed[0]?.message ?? "", /held/);
    assert.match(made.failed[1]?.message ?? "", /folder \/gone is damaged/);
    await executeRewrite(builder.repository, made);
    const ids = (await listSnapshots(builder.repository)).map(({ id }) => id);
    assert.equal(ids.length, 3);
    assert.ok(ids.includes(held.id) && ids.includes(bad.id));
    // Beside it, the held one may have a variant.
    const beside = await plan(builder, { excludes: noIso }, [held]);
    assert.deepEqual([beside.items.length, beside.failed.length], [1, 0]);
  });

  it("keeps keys of nodes that it does not know, digits beyond a double included", async () => {
    const odd = treeBlob(
      '{"nodes":[{"name":"x","type":"file","mtime":"2026-01-02T03:04:05Z","atime":"2026-01-02T03:04:05Z",' +
        '"ctime":"2026-01-02T03:04:05Z","uid":0,"gid":0,"content":[],"future":{"n":12345678901234567890}},' +
        '{"name":"y.iso","type":"file","mtime":"2026-01-02T03:04:05Z","atime":"2026-01-02T03:04:05Z",' +
        '"ctime":"2026-01-02T03:04:05Z","uid":0,"gid":0,"content":[]}]}\n',
    );
    await using builder = await fixture(odd);
    await builder.snapshot(odd);
    const [saved] = await executeRewrite(
      builder.repository,
      await plan(builder, { excludes: noIso }),
    );
    await using again = await builder.reopen();
    await again.loadIndex();
    const text = Buffer.from(await again.loadBlob("tree", saved?.tree ?? "")).toString();
    assert.match(text, /"future":\{"n":12345678901234567890\}/);
    assert.doesNotMatch(text, /y\.iso/);
  });

  it("reads folders that snapshots have in common once", async () => {
    await using builder = await fixture();
    for (const day of [1, 2, 3]) await builder.snapshot(top, { time: `2026-01-0${day}T00:00:00Z` });
    const progress: Readonly<RewriteProgress>[] = [];
    const made = await plan(builder, {
      excludes: noIso,
      observer: { onStart: (live) => void progress.push(live) },
    });
    assert.equal(made.items.length, 3);
    assert.deepEqual(progress, [{ snapshotsDone: 3, snapshotsTotal: 3, folders: 3 }]);
    assert.equal(new Set(made.items.map(({ changes }) => changes.tree)).size, 1);
  });

  it("does not build on a tree whose pack waits to be deleted", async () => {
    await using builder = await fixture();
    const rest = treeBlob([fileNode("small", content)]);
    const pack = await builder.pack(rest);
    const json = {
      packs: [],
      packs_to_delete: [
        {
          id: pack.id,
          blobs: pack.blobs.map(({ id, type, offset, length, uncompressedLength }) => ({
            id,
            type,
            offset,
            length,
            uncompressed_length: uncompressedLength,
          })),
          time: "2026-01-02T03:04:05Z",
          size: 500,
        },
      ],
    };
    await builder.repository.saveUnpacked("index", Buffer.from(JSON.stringify(json)));
    await builder.snapshot(top);
    const [saved] = await executeRewrite(
      builder.repository,
      await plan(builder, { excludes: noIso }),
    );
    await using again = await builder.reopen();
    await again.loadIndex();
    assert.ok(again.index.has("tree", rest.id), "a pack that stays has it as well");
    assert.equal((await pathsOf(builder, saved?.tree ?? "")).length, 4);
  });

  it("leaves the repository as it was when it is interrupted, but for trees that nobody needs", async () => {
    await using builder = await fixture();
    await builder.snapshot(top);
    const controller = new AbortController();
    const load = builder.repository.loadTree.bind(builder.repository);
    let calls = 0;
    builder.repository.loadTree = (id, options) => {
      if (++calls === 2) controller.abort(new Error("enough"));
      return load(id, options);
    };
    const { signal } = controller;
    await assert.rejects(plan(builder, { excludes: noIso, signal }), /enough/);
    await using again = await builder.reopen();
    const result = await check({ repository: again });
    assert.ok(result.ok && result.counts.snapshots === 1);
  });

  it("fails where the store fails, and not only for one snapshot", async () => {
    await using builder = await fixture();
    await builder.snapshot(top);
    builder.repository.loadTree = () => Promise.reject(new ComebackError("backend.io", "no line"));
    await assert.rejects(plan(builder, { excludes: noIso }), { code: "backend.io" });
  });
});
