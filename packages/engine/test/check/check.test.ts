import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FaultyBackend, SeededRandom } from "@comeback/testkit";
import { check } from "../../src/check/check.ts";
import type { CheckOptions, CheckProgress, CheckResult } from "../../src/check/check-options.ts";
import {
  dataBlob,
  fileNode,
  flipBit,
  folderNode,
  type LooseBlob,
  node,
  RepositoryBuilder,
  treeBlob,
} from "../repository-builder.ts";

function run(
  builder: RepositoryBuilder,
  options: Partial<CheckOptions> = {},
): Promise<CheckResult> {
  const { repository } = builder;
  return check({ repository, readData: { kind: "all" }, workers: 1, ...options });
}

/** `kind file-or-blob: details` of each problem, ids shortened as in messages. */
function said(result: CheckResult): string[] {
  return result.problems.map(({ kind, message, details }) => {
    return `${kind} | ${message} | ${details.join("; ")}`;
  });
}

const short = (id: string): string => id.slice(0, 10);

interface Sample {
  readonly builder: RepositoryBuilder;
  readonly blobs: Record<"a" | "b" | "c", LooseBlob>;
  readonly inner: LooseBlob;
  readonly root: LooseBlob;
  readonly dataPacks: readonly string[];
  readonly treePack: string;
  readonly indexes: readonly string[];
  readonly snapshot: string;
}

/** /one and /folder/two, the latter of two blobs; two packs of data and one of trees. */
async function sample(version: 1 | 2 = 2): Promise<Sample> {
  const builder = await RepositoryBuilder.create({ version });
  const blobs = { a: dataBlob("content a"), b: dataBlob("b".repeat(500)), c: dataBlob("") };
  const inner = treeBlob([fileNode("empty", blobs.c), fileNode("two", blobs.b, blobs.a)]);
  const root = treeBlob([folderNode("folder", inner), fileNode("one", blobs.a)]);
  const data = [await builder.pack(blobs.a), await builder.pack(blobs.b, blobs.c)];
  const trees = await builder.pack(inner, root);
  const indexes = [await builder.index(...data), await builder.index(trees)];
  const { id: snapshot } = await builder.snapshot(root);
  const dataPacks = data.map(({ id }) => id);
  return { builder, blobs, inner, root, dataPacks, treePack: trees.id, indexes, snapshot };
}

describe("check", () => {
  it("finds nothing wrong with a sound repository, and counts what it read", async () => {
    for (const version of [1, 2] as const) {
      const { builder } = await sample(version);
      const result = await run(builder, { findUnused: true });
      assert.deepEqual(said(result), []);
      assert.equal(result.ok, true);
      assert.deepEqual(result.hints, []);
      assert.deepEqual(result.affected, []);
      const packBytes = result.counts.packBytes;
      assert.deepEqual(result.counts, {
        indexFiles: 2,
        snapshots: 1,
        packs: 3,
        blobs: 5,
        packBytes,
        trees: 2,
        packsRead: 3,
        bytesRead: packBytes,
        blobsVerified: 5,
      });
      assert.deepEqual(result.unused, { blobs: 0, bytes: 0, ids: [] });
      await builder[Symbol.asyncDispose]();
    }
  });

  it("finds nothing wrong with an empty repository", async () => {
    await using builder = await RepositoryBuilder.create();
    const result = await run(builder);
    assert.equal(result.ok, true);
    assert.equal(result.counts.packs, 0);
  });

  it("reads data only where it is told to, and trees always", async () => {
    const { builder, dataPacks, treePack } = await sample();
    builder.damage("pack", dataPacks[1]!, flipBit(30));
    const reading = async (readData: CheckOptions["readData"]): Promise<string[]> => {
      const calls = new FaultyBackend(builder.backend.sharing());
      const repository = await builder.reopen(calls);
      await run(builder, { repository, readData: readData ?? { kind: "none" } });
      const loads = calls.calls.filter(({ method, type }) => method === "load" && type === "pack");
      return [...new Set(loads.map(({ name }) => name))].sort();
    };
    assert.deepEqual(await reading({ kind: "none" }), [treePack]);
    assert.deepEqual(await reading({ kind: "all" }), [...dataPacks, treePack].sort());
    assert.equal((await run(builder, { readData: { kind: "none" } })).ok, true);
    const byte = Number.parseInt(dataPacks[1]!.slice(0, 2), 16);
    const part = await run(builder, { readData: { kind: "part", part: byte + 1, of: 256 } });
    assert.deepEqual(part.damagedPacks, [dataPacks[1]]);
    const other = await run(builder, {
      readData: { kind: "part", part: ((byte + 1) % 256) + 1, of: 256 },
    });
    assert.equal(other.ok, true);
  });

  it("names a damaged blob, the file that needs it, and nothing else", async () => {
    const { builder, blobs, dataPacks, snapshot } = await sample();
    builder.damage("pack", dataPacks[1]!, flipBit(30));
    const result = await run(builder);
    assert.deepEqual(said(result), [
      `pack | pack ${short(dataPacks[1]!)} is damaged | its content does not match its name; ` +
        `data blob ${short(blobs.b.id)}: its authentication code does not hold`,
    ]);
    assert.deepEqual(result.damagedPacks, [dataPacks[1]]);
    assert.deepEqual(result.affected, [{ snapshotId: snapshot, path: "/folder/two" }]);
    assert.equal(result.affectedIsComplete, true);
  });

  it("does not count a file as affected while another copy of the blob is intact", async () => {
    const { builder, blobs, dataPacks } = await sample();
    await builder.index(await builder.pack(dataBlob("other"), blobs.b));
    builder.damage("pack", dataPacks[1]!, flipBit(30));
    const result = await run(builder);
    assert.equal(result.problemCount, 1);
    assert.deepEqual(result.affected, []);
  });

  it("names a damaged header, trailer, and length of a pack", async () => {
    const cases: [change: (bytes: Buffer) => Uint8Array | undefined, details: RegExp][] = [
      [flipBit(-40), /does not match its name; its header's authentication code does not hold$/],
      [flipBit(-1), /does not match its name; its header claims a length of \d+ bytes$/],
      [flipBit(-4), /does not match its name; its (header|blobs)/],
      [
        (bytes) => bytes.subarray(0, -1),
        /^it has \d+ bytes, and the index implies \d+; its content/,
      ],
      [(bytes) => Buffer.concat([bytes, Buffer.of(0)]), /^it has \d+ bytes, and the index implies/],
      [() => new Uint8Array(0), /^it has 0 bytes.*no room for a header.*lies beyond the end/],
      [() => new Uint8Array(3), /^it has 3 bytes.*no room for a header.*lies beyond the end/],
    ];
    for (const [change, details] of cases) {
      const { builder, dataPacks } = await sample();
      builder.damage("pack", dataPacks[1]!, change);
      const result = await run(builder);
      assert.equal(result.problems.length, 1);
      const [problem] = result.problems;
      assert.deepEqual(problem?.file, { type: "pack", name: dataPacks[1] });
      assert.match(problem?.details.join("; ") ?? "", details);
      await builder[Symbol.asyncDispose]();
    }
  });

  it("names a missing pack with all that is lost with it, without reading any data", async () => {
    const { builder, dataPacks, snapshot } = await sample();
    await builder.backend.remove({ type: "pack", name: dataPacks[0]! });
    const result = await run(builder, { readData: { kind: "none" } });
    assert.deepEqual(said(result), [
      `pack-missing | pack ${short(dataPacks[0]!)} is missing | the index lists 1 blobs in it`,
    ]);
    const paths = result.affected.map(({ snapshotId, path }) => `${snapshotId} ${path}`);
    assert.deepEqual(paths.sort(), [`${snapshot} /folder/two`, `${snapshot} /one`]);
  });

  it("names damaged and missing trees, and the folders below which nothing is known", async () => {
    const { builder, inner, root, treePack, snapshot } = await sample();
    builder.damage("pack", treePack, flipBit(30));
    const damaged = await run(builder, { readData: { kind: "none" } });
    assert.deepEqual(said(damaged), [
      `pack | pack ${short(treePack)} is damaged | its content does not match its name; ` +
        `tree blob ${short(inner.id)}: its authentication code does not hold`,
      `tree | tree ${short(inner.id)} is damaged | ` +
        `in pack ${short(treePack)}: its authentication code does not hold`,
    ]);
    assert.deepEqual(damaged.affected, [{ snapshotId: snapshot, path: "/folder" }]);

    await builder.backend.remove({ type: "pack", name: treePack });
    const missing = await run(builder);
    assert.deepEqual(said(missing), [
      `pack-missing | pack ${short(treePack)} is missing | the index lists 2 blobs in it`,
      `tree | tree ${short(root.id)} is damaged | pack ${short(treePack)} is missing or too short`,
    ]);
    assert.deepEqual(missing.affected, [{ snapshotId: snapshot, path: "/" }]);
  });

  it("names blobs and trees that no index lists, and who needs them", async () => {
    await using builder = await RepositoryBuilder.create();
    const [lost, lostTree, lostRoot] = [dataBlob("lost"), treeBlob([]), treeBlob("not stored")];
    const root = treeBlob([folderNode("d", lostTree), fileNode("f", lost), fileNode("g", lost)]);
    await builder.index(await builder.pack(root));
    const { id: first } = await builder.snapshot(root);
    const { id: second } = await builder.snapshot(lostRoot, { time: "2027-01-01T00:00:00Z" });
    const result = await run(builder);
    const tree = `tree ${short(root.id)}`;
    assert.deepEqual(said(result).sort(), [
      `blob-missing | data blob ${short(lost.id)} is not in the index | ` +
        `${tree}: data blob ${short(lost.id)} of file "f" is not in the index; ` +
        `${tree}: data blob ${short(lost.id)} of file "g" is not in the index`,
      `tree-missing | tree ${short(lostRoot.id)} is not in the index | ` +
        `snapshot ${second.slice(0, 8)} begins with it`,
      `tree-missing | tree ${short(lostTree.id)} is not in the index | ` +
        `${tree}: tree ${short(lostTree.id)} of folder "d" is not in the index`,
    ]);
    assert.deepEqual(
      result.affected.map(({ snapshotId, path }) => [snapshotId, path]),
      [
        [second, "/"],
        [first, "/d"],
        [first, "/f"],
        [first, "/g"],
      ],
    );
  });

  it("names what is wrong inside of trees, and only of trees that a snapshot leads to", async () => {
    const cases: [tree: LooseBlob, details: string][] = [
      [treeBlob("no json"), "it is not valid JSON"],
      [treeBlob('{"nodes":7}'), "it has no list of nodes"],
      [treeBlob([fileNode("b"), fileNode("a")]), 'not in order: "a"'],
      [treeBlob([fileNode("a"), fileNode("a")]), 'two entries are called "a"'],
      [treeBlob([node("a", { content: null })]), 'file "a" has no list of blobs'],
      [treeBlob([node("a", { type: "dir" })]), 'folder "a" has no tree'],
      [treeBlob([node("a", { type: "unknown", type_text: "door" })]), '"a" is of no known type'],
      [
        treeBlob('{"nodes":[{"name":"../x","type":"file"}]}'),
        'an entry has the forbidden name "../x"',
      ],
    ];
    for (const [tree, details] of cases) {
      await using builder = await RepositoryBuilder.create();
      const root = treeBlob([folderNode("d", tree)]);
      const good = treeBlob([]);
      await builder.index(await builder.pack(root, tree, good));
      await builder.snapshot(good);
      assert.equal((await run(builder)).ok, true, "nobody leads to it");
      await builder.snapshot(root);
      const result = await run(builder);
      assert.deepEqual(said(result), [`tree | tree ${short(tree.id)} is damaged | ${details}`]);
      assert.equal(result.affected.length > 0, true);
      assert.match(result.affected[0]!.path, /^\/d(\/a)?$/);
    }
  });

  it("names damaged index files, and says that it could not go on", async () => {
    const { builder, indexes } = await sample();
    builder.damage("index", indexes[1]!, flipBit(50));
    const result = await run(builder);
    assert.deepEqual(said(result), [
      `index | index ${short(indexes[1]!)} is damaged | its content does not match its name`,
    ]);
    assert.deepEqual(result.unchecked, ["packs", "trees", "data"]);
    assert.equal(result.ok, false);
  });

  it("names an index that lists a pack otherwise than the pack does itself", async () => {
    await using builder = await RepositoryBuilder.create();
    const [a, b] = [dataBlob("a"), dataBlob("bb")];
    const pack = await builder.pack(a, b);
    const blobs = pack.blobs.map((blob, i) => ({ ...blob, id: pack.blobs[1 - i]!.id }));
    await builder.index({ id: pack.id, blobs });
    const result = await run(builder);
    assert.equal(result.problems.length, 1);
    assert.match(
      result.problems[0]!.details.join("; "),
      /^its header has no blob .* where the index/,
    );
    assert.match(result.problems[0]!.details.join("; "), /data blob .*: it does not decompress/);
  });

  it("names damaged snapshots and keys, and goes on with the others", async () => {
    const { builder, root } = await sample();
    const { id } = await builder.snapshot(root, { hostname: "other" });
    builder.damage("snapshot", id, (bytes) => bytes.subarray(0, 10));
    builder.backend.overwrite({ type: "key", name: "0".repeat(64) }, Buffer.from("{}"));
    const result = await run(builder);
    assert.deepEqual(said(result), [
      "key | key 0000000000 is damaged | its content does not match its name",
      `snapshot | snapshot ${short(id)} is damaged | its content does not match its name`,
    ]);
    assert.equal(result.counts.snapshots, 1);
    assert.equal(result.counts.trees, 2);
  });

  it("gives hints about what is odd but loses nothing", async () => {
    const { builder, blobs } = await sample();
    const orphan = await builder.pack(dataBlob("left over"));
    const mixed = await builder.pack(dataBlob("x"), treeBlob([fileNode("x", blobs.a)]));
    await builder.index(mixed);
    await builder.index(mixed, await builder.pack(dataBlob("y")));
    const result = await run(builder);
    assert.equal(result.ok, true);
    assert.deepEqual(
      result.hints.map(({ kind, count, ids }) => [kind, count, ids]),
      [
        ["pack-indexed-twice", 1, [mixed.id]],
        ["pack-not-indexed", 1, [orphan.id]],
        ["mixed-pack", 1, [mixed.id]],
      ],
    );
  });

  it("reads trees that wait to be deleted only where something leads to them", async () => {
    const { builder, root, inner, indexes, treePack } = await sample();
    const old = treeBlob([fileNode("old", dataBlob(""))]);
    const idle = await builder.pack(old);
    await builder.index({ ...idle, mark: { timeMs: 1 } });
    const structure = { readData: { kind: "none" } } as const;
    const before = await run(builder, structure);
    assert.deepEqual(said(before), []);
    assert.equal(before.counts.packsRead, 1, "nothing leads to the old tree");
    assert.equal((await run(builder)).counts.packsRead, 4, "unless all is to be read");
    // Now the only trees that there are wait to be deleted.
    await builder.backend.remove({ type: "index", name: indexes[1]! });
    const copy = await builder.pack(inner, root);
    await builder.index({ ...copy, mark: { timeMs: 1 } });
    await builder.backend.remove({ type: "pack", name: treePack });
    const after = await run(builder, structure);
    assert.deepEqual(said(after), []);
    assert.equal(after.counts.packsRead, 2);
    builder.damage("pack", copy.id, flipBit(20));
    assert.match(said(await run(builder, structure)).join(), /tree/);
  });

  it("reads no data with the trees of a pack that holds both", async () => {
    await using builder = await RepositoryBuilder.create();
    const large = dataBlob(Buffer.alloc(3_000_000, 1));
    const random = dataBlob(new SeededRandom(5).bytes(2_000_000));
    const trees = [treeBlob([fileNode("a", large)]), treeBlob([fileNode("b", random)])];
    const pack = await builder.pack(trees[0]!, random, large, trees[1]!);
    await builder.index(pack);
    await builder.snapshot(trees[0]!);
    await builder.snapshot(trees[1]!);
    builder.damage("pack", pack.id, flipBit(pack.blobs[1]!.offset + 100));
    const result = await run(builder, { readData: { kind: "none" } });
    assert.deepEqual(said(result), []);
    assert.equal(result.counts.trees, 2);
    assert.ok(result.counts.bytesRead < 10_000, `${result.counts.bytesRead} bytes`);
    assert.equal((await run(builder)).problemCount, 1);
  });

  it("counts blobs that no snapshot uses", async () => {
    const { builder } = await sample();
    const idle = [dataBlob("idle"), treeBlob([fileNode("idle", dataBlob("idle"))])];
    const pack = await builder.pack(idle[0]!, idle[1]!, dataBlob("content a"));
    await builder.index(pack);
    const { unused, ok } = await run(builder, { findUnused: true });
    assert.equal(ok, true);
    assert.deepEqual(new Set(unused?.ids), new Set(idle.map(({ id }) => id)));
    assert.equal(unused?.bytes, pack.blobs[0]!.length + pack.blobs[1]!.length);
  });

  it("says so where a pack holds only when it is read again", async () => {
    const { builder, dataPacks } = await sample();
    const backend = new FaultyBackend(builder.backend.sharing());
    const fault = { kind: "flip", atByte: 40 } as const;
    backend.stage({ method: "load", type: "pack", name: dataPacks[0]!, fault });
    const repository = await builder.reopen(backend);
    const result = await run(builder, { repository });
    assert.equal(result.problems.length, 1);
    assert.match(result.problems[0]!.details.join(), /held only when it was read a second time/);
    assert.deepEqual(result.affected, []);
  });

  it("names files that cannot be read, and throws where the whole store cannot", async () => {
    const { builder, dataPacks, blobs } = await sample();
    const backend = new FaultyBackend(builder.backend.sharing());
    const repository = await builder.reopen(backend);
    const fault = { kind: "error" } as const;
    backend.stage({ method: "load", type: "pack", name: dataPacks[0]!, fault, when: "always" });
    const result = await run(builder, { repository });
    assert.deepEqual(said(result), [
      `pack | pack ${short(dataPacks[0]!)} is damaged | a staged failure`,
    ]);
    assert.equal(result.affected.length, 2, `both users of ${short(blobs.a.id)}`);

    backend.stage({ method: "stat", type: "config", fault, when: "always" });
    await assert.rejects(run(builder, { repository }), /a staged failure/);
    backend.stage({ method: "list", type: "pack", fault, when: "always" });
    await assert.rejects(run(builder, { repository }), /a staged failure/);
  });

  it("ends with the reason of an abort, wherever it is", async () => {
    const { builder } = await sample();
    for (const phase of ["snapshots", "index", "packs"] as const) {
      const controller = new AbortController();
      const reason = new Error(`stopped in ${phase}`);
      let progress: Readonly<CheckProgress> | undefined;
      const backend = builder.backend.sharing();
      const load = backend.load.bind(backend);
      backend.load = async (file, options) => {
        if (progress?.phase === phase) controller.abort(reason);
        return load(file, options);
      };
      const repository = await builder.reopen(backend);
      const observer = { onStart: (live: CheckProgress): void => void (progress = live) };
      const checking = run(builder, { repository, observer, signal: controller.signal });
      await assert.rejects(checking, reason);
    }
  });

  it("tells of progress and of each problem as it is found", async () => {
    const { builder, dataPacks } = await sample();
    builder.damage("pack", dataPacks[0]!, flipBit(40));
    const seen: string[] = [];
    let progress: Readonly<CheckProgress> | undefined;
    const result = await run(builder, {
      observer: {
        onStart: (live) => void (progress = live),
        onProblem: ({ kind }) => void seen.push(`${kind} while ${progress?.phase}`),
      },
    });
    assert.deepEqual(seen, ["pack while packs"]);
    const bytes = result.counts.bytesRead;
    assert.deepEqual(progress, {
      phase: "done",
      packsDone: 3,
      packsTotal: 3,
      bytesDone: bytes,
      bytesTotal: bytes,
      problems: 1,
    });
  });
});
