import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Backend } from "@comeback/core";
import { FaultyBackend, SeededRandom, SimulatedClock } from "@comeback/testkit";
import { check } from "../../src/check/check.ts";
import { copy } from "../../src/copy/copy.ts";
import type { CopyOptions, CopyProblem, CopyResult } from "../../src/copy/copy-options.ts";
import type { CompressionMode } from "../../src/crypto/blob-codec.ts";
import { runTasksInThisThread } from "../../src/cpu-pool/in-this-thread.ts";
import { Repository } from "../../src/repository/repository.ts";
import { listSnapshots } from "../../src/repository/snapshots.ts";
import type { Snapshot } from "../../src/snapshot/snapshot.ts";
import {
  dataBlob,
  fileNode,
  flipBit,
  folderNode,
  type LooseBlob,
  RepositoryBuilder,
  TEST_PASSWORD,
  treeBlob,
} from "../repository-builder.ts";

const SEED = 20_261_122;

async function open(backend: Backend, compression: CompressionMode = "auto"): Promise<Repository> {
  const repository = await Repository.open({
    backend,
    password: TEST_PASSWORD,
    clock: new SimulatedClock(),
    random: new SeededRandom(SEED),
    packSizeBytes: 4 * 1024 * 1024,
    compression,
  });
  await repository.loadIndex();
  return repository;
}

interface RunOptions extends Partial<Omit<CopyOptions, "source" | "target">> {
  readonly compression?: CompressionMode;
}

/** Copies all snapshots, as a process of its own would. */
async function run(from: Backend, to: Backend, options: RunOptions = {}): Promise<CopyResult> {
  await using source = await open(from);
  await using target = await open(to, options.compression);
  const snapshots = await listSnapshots(source);
  return await copy({ source, target, snapshots, workers: 2, ...options });
}

/** A source of two snapshots that share a folder and a file; each pack holds what its name says. */
interface Source {
  readonly builder: RepositoryBuilder;
  readonly first: Snapshot;
  readonly second: Snapshot;
  readonly blobs: readonly LooseBlob[];
  readonly packs: {
    readonly shared: string;
    readonly second: string;
    readonly trees: string;
    readonly secondTrees: string;
  };
}

async function makeSource(version: 1 | 2 = 2): Promise<Source> {
  const builder = await RepositoryBuilder.create({ seed: 11, version });
  const random = new SeededRandom(SEED);
  const shared = [dataBlob("shared ".repeat(5000)), dataBlob(random.bytes(30_000)), dataBlob("")];
  const own = [dataBlob("second ".repeat(3000)), dataBlob(random.bytes(2000))];
  const inner = treeBlob([fileNode("deep", ...shared)]);
  const top = treeBlob([folderNode("folder", inner), fileNode("shared", ...shared.slice(0, 1))]);
  const secondInner = treeBlob([fileNode("deeper", ...own, ...shared)]);
  const secondTop = treeBlob([folderNode("folder", inner), folderNode("other", secondInner)]);
  const packs = [
    await builder.pack(...shared),
    await builder.pack(...own),
    await builder.pack(inner, top),
    await builder.pack(secondInner, secondTop),
  ] as const;
  await builder.index(...packs);
  const first = await builder.snapshot(top, { tags: ["a", "b"], hostname: "one", uid: 7 });
  const time = "2026-02-03T04:05:06.789012345+01:00";
  const second = await builder.snapshot(secondTop, { time, parent: first.id, unknown: "kept" });
  const [sharedPack, secondPack, trees, secondTrees] = packs;
  return {
    builder,
    first,
    second,
    blobs: [...shared, ...own, inner, top, secondInner, secondTop],
    packs: {
      shared: sharedPack.id,
      second: secondPack.id,
      trees: trees.id,
      secondTrees: secondTrees.id,
    },
  };
}

async function makeTarget(version: 1 | 2 = 2): Promise<RepositoryBuilder> {
  return RepositoryBuilder.create({ seed: 12, version });
}

async function assertSound(backend: Backend): Promise<void> {
  await using repository = await open(backend);
  const result = await check({ repository, readData: { kind: "all" }, workers: 1 });
  assert.deepEqual(result.problems, []);
}

/** Every blob of the source is in the target, with its content. */
async function assertHolds(backend: Backend, blobs: readonly LooseBlob[]): Promise<void> {
  await using repository = await open(backend);
  for (const { type, id, plaintext } of blobs) {
    const found = await repository.loadBlob(type, id);
    assert.ok(Buffer.from(plaintext).equals(found), `${type} ${id}`);
  }
}

/** Without its id, and without what is undefined. */
function asStored(snapshot: object): object {
  return JSON.parse(JSON.stringify({ ...snapshot, id: "" })) as object;
}

async function snapshotsOf(backend: Backend): Promise<Snapshot[]> {
  await using repository = await open(backend);
  return await listSnapshots(repository);
}

describe("copy", () => {
  it("copies snapshots with all they need, and nothing the second time", async () => {
    const { builder, first, second, blobs } = await makeSource();
    const target = await makeTarget();
    const result = await run(builder.backend.sharing(), target.backend.sharing());
    assert.deepEqual(
      result.outcomes.map(({ snapshot, action }) => [snapshot.id, action]),
      [
        [first.id, "copied"],
        [second.id, "copied"],
      ],
    );
    assert.equal(result.dataBlobs, 5);
    assert.equal(result.treeBlobs, 4);
    assert.equal(result.problemCount, 0);
    assert.equal(result.sameChunker, false);
    await assertHolds(target.backend.sharing(), blobs);
    await assertSound(target.backend.sharing());
    const copies = await snapshotsOf(target.backend.sharing());
    assert.deepEqual(
      copies.map((copied) => ({ ...copied, id: "" })),
      [first, { ...second, parent: undefined }].map((one) =>
        asStored({ ...one, original: one.id }),
      ),
    );

    const stored = target.backend.contents();
    const again = await run(builder.backend.sharing(), target.backend.sharing());
    assert.deepEqual(
      again.outcomes.map(({ action, copy: known }) => [action, known?.id]),
      copies.map(({ id }) => ["skipped", id]),
    );
    assert.equal(again.bytesStored + again.bytesRead, 0);
    assert.deepEqual(target.backend.contents(), stored);
  });

  it("keeps compressed contents as they are", async () => {
    const { builder } = await makeSource();
    const target = await makeTarget();
    await run(builder.backend.sharing(), target.backend.sharing());
    const sizes = async (backend: Backend): Promise<Map<string, string>> => {
      await using repository = await open(backend);
      const { table } = repository.index;
      const places = Array.from({ length: table.count }, (_, entry): [string, string] => {
        const { length, uncompressedLength } = table.locationOf(entry);
        return [table.idOf(entry), `${length} ${uncompressedLength}`];
      });
      return new Map(places.toSorted(([a], [b]) => (a < b ? -1 : 1)));
    };
    const expected = await sizes(builder.backend.sharing());
    assert.deepEqual(await sizes(target.backend.sharing()), expected);
  });

  it("compresses anew where it is told to, and what was never compressed", async () => {
    for (const from of [1, 2] as const) {
      for (const to of [1, 2] as const) {
        for (const recompress of [false, true]) {
          using _tasks = runTasksInThisThread(new SeededRandom(SEED));
          const { builder, blobs } = await makeSource(from);
          const target = await makeTarget(to);
          const compression = recompress ? "max" : "auto";
          const options = { recompress, compression } as const;
          await run(builder.backend.sharing(), target.backend.sharing(), options);
          await assertHolds(target.backend.sharing(), blobs);
          await assertSound(target.backend.sharing());
          await using repository = await open(target.backend.sharing());
          const [place] = repository.index.find("data", (blobs[0] as LooseBlob).id);
          assert.equal(place?.uncompressedLength, to === 2 ? 35_000 : 0, `${from} to ${to}`);
        }
      }
    }
  });

  it("does not copy what a dry run would", async () => {
    const { builder } = await makeSource();
    const target = await makeTarget();
    const stored = target.backend.contents();
    const result = await run(builder.backend.sharing(), target.backend.sharing(), { dryRun: true });
    assert.deepEqual(
      result.outcomes.map(({ action }) => action),
      ["planned", "planned"],
    );
    assert.deepEqual(target.backend.contents(), stored);
  });

  it("copies a changed snapshot again, although it has the same origin", async () => {
    const { builder, first } = await makeSource();
    const target = await makeTarget();
    await run(builder.backend.sharing(), target.backend.sharing());
    await builder.snapshot(treeBlob([]), {});
    const { id, ...fields } = first;
    await builder.snapshot(
      { type: "tree", id: first.tree, plaintext: Buffer.alloc(0) },
      { ...fields, tags: ["a", "c"], original: id },
    );
    const result = await run(builder.backend.sharing(), target.backend.sharing());
    assert.equal(result.skipped, 2);
    assert.equal(result.copied, 1);
    // The empty tree is in no pack: its snapshot cannot be copied, and says so.
    assert.equal(result.failed, 1);
    assert.match(result.problems[0]?.message ?? "", /tree blob .* is not in the index/);
    const copies = await snapshotsOf(target.backend.sharing());
    assert.equal(copies.filter(({ original }) => original === id).length, 2);
  });

  it("reads what is stored twice from where it is whole", async () => {
    const { builder, blobs, packs } = await makeSource();
    await builder.index(await builder.pack(...blobs.slice(0, 3)));
    await builder.index(await builder.pack(...blobs.slice(5, 7)));
    for (const pack of [packs.shared, packs.trees]) builder.damage("pack", pack, flipBit(20));
    const target = await makeTarget();
    const result = await run(builder.backend.sharing(), target.backend.sharing());
    assert.equal(result.copied, 2);
    assert.equal(result.problemCount, 0);
    await assertHolds(target.backend.sharing(), blobs);
    await assertSound(target.backend.sharing());
  });
});

/** For hundreds of runs: each would start threads of its own. */
function withoutThreads(): void {
  let tasks: Disposable;
  before(() => (tasks = runTasksInThisThread(new SeededRandom(SEED))));
  after(() => tasks[Symbol.dispose]());
}

type PackName = keyof Source["packs"];
const DAMAGES: Readonly<Record<string, (source: Source, pack: string) => Promise<void>>> = {
  "one bit flipped": async ({ builder }, pack) => builder.damage("pack", pack, flipBit(20)),
  "cut off": async ({ builder }, pack) => {
    builder.damage("pack", pack, (bytes) => bytes.subarray(0, 10));
  },
  missing: async ({ builder }, pack) => builder.backend.remove({ type: "pack", name: pack }),
};

describe("copy from a damaged repository", () => {
  withoutThreads();

  for (const [damageName, damage] of Object.entries(DAMAGES)) {
    for (const pack of ["shared", "second", "trees", "secondTrees"] as const) {
      it(`${pack}: ${damageName}`, async () => {
        const source = await makeSource();
        const packId = source.packs[pack];
        await damage(source, packId);
        const target = await makeTarget();
        const told: CopyProblem[] = [];
        const result = await run(source.builder.backend.sharing(), target.backend.sharing(), {
          observer: { onProblem: (problem) => told.push(problem) },
        });
        assert.equal(result.problemCount, 1);
        assert.deepEqual(told, result.problems);
        assert.equal(told[0]?.packId, packId);
        const survives: Record<PackName, readonly string[]> = {
          shared: [],
          second: [source.first.id],
          trees: [],
          secondTrees: [source.first.id],
        };
        const copies = await snapshotsOf(target.backend.sharing());
        assert.deepEqual(
          copies.map(({ original }) => original),
          survives[pack],
        );
        assert.equal(result.failed, 2 - copies.length);
        await assertSound(target.backend.sharing());
      });
    }
  }
});

describe("an interrupted copy", () => {
  withoutThreads();

  /** Runs into a crash after so many calls of one side; false once the run needs no more calls. */
  async function crashes(
    side: "source" | "target",
    calls: number,
    lastCall: "lost" | "made",
  ): Promise<boolean> {
    const source = await makeSource();
    const target = await makeTarget();
    const backends = {
      source: new FaultyBackend(source.builder.backend.sharing()),
      target: new FaultyBackend(target.backend.sharing()),
    };
    backends[side].crashAfter(calls, lastCall);
    const stored = source.builder.backend.contents();
    const ended = await run(backends.source, backends.target).then(
      () => true,
      () => false,
    );
    if (ended && !backends[side].crashed) return false;
    const what = `${side} ${calls} ${lastCall}`;
    // Whatever snapshot is there is whole.
    await assertSound(target.backend.clone());
    const result = await run(source.builder.backend.sharing(), target.backend.sharing());
    assert.equal(result.copied + result.skipped, 2, what);
    assert.equal(result.problemCount, 0, what);
    await assertHolds(target.backend.sharing(), source.blobs);
    await assertSound(target.backend.sharing());
    assert.deepEqual(source.builder.backend.contents(), stored, what);
    return true;
  }

  for (const side of ["source", "target"] as const) {
    for (const lastCall of ["lost", "made"] as const) {
      it(`goes on after a crash at every call of the ${side}, ${lastCall}`, async () => {
        let calls = 0;
        while (await crashes(side, calls, lastCall)) calls++;
        assert.ok(calls > 5, `${calls} calls`);
      });
    }
  }

  it("finds again what it had stored", async () => {
    const { builder, blobs } = await makeSource();
    const target = await makeTarget();
    const faulty = new FaultyBackend(target.backend.sharing());
    faulty.stage({ method: "save", type: "snapshot", fault: { kind: "error" } });
    await assert.rejects(run(builder.backend.sharing(), faulty));
    assert.equal(target.backend.contents().get("index")?.size, 1);
    const result = await run(builder.backend.sharing(), target.backend.sharing());
    assert.equal(result.copied, 2);
    assert.equal(result.dataBlobs + result.treeBlobs, 0);
    await assertHolds(target.backend.sharing(), blobs);
  });

  it("ends at an abort, whose reason is the error", async () => {
    const { builder } = await makeSource();
    const target = await makeTarget();
    const reason = new Error("Ctrl-C");
    const abort = new AbortController();
    const faulty = new FaultyBackend(builder.backend.sharing());
    const options = {
      signal: abort.signal,
      observer: { onStart: () => abort.abort(reason) },
    };
    await assert.rejects(run(faulty, target.backend.sharing(), options), reason);
    assert.deepEqual(await snapshotsOf(target.backend.sharing()), []);
  });
});
