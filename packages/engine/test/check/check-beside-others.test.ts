import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Backend, RepositoryFile } from "@comeback/core";
import { FaultyBackend, type RecordedCall } from "@comeback/testkit";
import { check } from "../../src/check/check.ts";
import type { CheckResult } from "../../src/check/check-options.ts";
import type { IndexedPack } from "../../src/index/index-file.ts";
import {
  dataBlob,
  fileNode,
  type LooseBlob,
  RepositoryBuilder,
  treeBlob,
} from "../repository-builder.ts";

/** Has something happen in the repository right before one of a check's calls. */
class InterruptedBackend extends FaultyBackend {
  readonly #before: (call: RecordedCall, number: number) => Promise<void>;
  #calls = 0;

  constructor(inner: Backend, before: (call: RecordedCall, number: number) => Promise<void>) {
    super(inner);
    this.#before = before;
  }

  override async load(file: RepositoryFile, options?: object): Promise<Uint8Array<ArrayBuffer>> {
    await this.#before({ method: "load", ...file }, this.#calls++);
    return super.load(file, options);
  }
}

interface Sample {
  readonly builder: RepositoryBuilder;
  readonly used: LooseBlob;
  readonly root: LooseBlob;
  readonly mixed: IndexedPack;
  readonly trees: IndexedPack;
  readonly indexName: string;
}

/** A pack of a used and an idle blob, which a prune has reason to repack. */
async function sample(): Promise<Sample> {
  const builder = await RepositoryBuilder.create();
  const used = dataBlob("used");
  const root = treeBlob([fileNode("used", used)]);
  const mixed = await builder.pack(used, dataBlob("idle"));
  const trees = await builder.pack(root);
  const indexName = await builder.index(mixed, trees);
  await builder.snapshot(root);
  return { builder, used, root, mixed, trees, indexName };
}

/** What a prune does that need not wait for anybody: a new pack, a new index, then the old ones go. */
async function repack({ builder, used, mixed, trees, indexName }: Sample): Promise<void> {
  await builder.index(await builder.pack(used), trees);
  await builder.backend.remove({ type: "index", name: indexName });
  await builder.backend.remove({ type: "pack", name: mixed.id });
}

async function checkWhile(
  { builder }: Sample,
  before: (call: RecordedCall, number: number) => Promise<void>,
): Promise<CheckResult> {
  const backend = new InterruptedBackend(builder.backend.sharing(), before);
  const repository = await builder.reopen(backend);
  return check({ repository, readData: { kind: "all" }, workers: 1 });
}

describe("a check beside others", () => {
  it("finds nothing wrong wherever a prune repacks while it runs", async () => {
    let calls = 0;
    await checkWhile(await sample(), async (_, number) => void (calls = number));
    assert.ok(calls >= 5, `${calls} calls`);
    for (let at = 0; at <= calls; at++) {
      const one = await sample();
      const result = await checkWhile(one, async (_, number) => {
        if (number === at) await repack(one);
      });
      assert.deepEqual(result.problems, [], `before call ${at}`);
      assert.deepEqual(result.affected, [], `before call ${at}`);
      assert.equal(result.counts.trees, 1);
    }
  });

  it("finds nothing wrong where a backup adds files, or a forget takes a snapshot", async () => {
    for (let at = 0; at < 6; at++) {
      const one = await sample();
      const { builder, root } = one;
      const { id } = await builder.snapshot(root, { hostname: "other" });
      const result = await checkWhile(one, async (_, number) => {
        if (number !== at) return;
        const added = treeBlob([fileNode("added", dataBlob("added"))]);
        await builder.index(await builder.pack(dataBlob("added")), await builder.pack(added));
        await builder.snapshot(added);
        await builder.backend.remove({ type: "snapshot", name: id });
      });
      assert.deepEqual(result.problems, [], `before call ${at}`);
    }
  });

  it("finds nothing wrong where a pack goes that was marked", async () => {
    const one = await sample();
    const { builder } = one;
    const idle = [await builder.pack(dataBlob("i")), await builder.pack(treeBlob([fileNode("i")]))];
    const marked = await builder.index(...idle.map((pack) => ({ ...pack, mark: { timeMs: 1 } })));
    const ids = idle.map(({ id }) => id);
    let isDone = false;
    const result = await checkWhile(one, async ({ name }) => {
      if (isDone || !ids.includes(name)) return;
      isDone = true;
      await builder.backend.remove({ type: "index", name: marked });
      for (const id of ids) await builder.backend.remove({ type: "pack", name: id });
    });
    assert.ok(isDone);
    assert.deepEqual(result.problems, []);
  });

  it("still names a pack that is gone without anybody having replaced the index", async () => {
    const one = await sample();
    let gone = false;
    const result = await checkWhile(one, async ({ type, name }) => {
      if (gone || type !== "pack" || name !== one.mixed.id) return;
      gone = true;
      await one.builder.backend.remove({ type: "pack", name });
    });
    assert.ok(gone);
    assert.deepEqual(
      result.problems.map(({ kind, file }) => [kind, file?.name]),
      [["pack", one.mixed.id]],
    );
  });

  it("ends also where something goes all the time, and tells of damage once", async () => {
    const one = await sample();
    const { builder } = one;
    const other = dataBlob("other");
    const damaged = await builder.pack(dataBlob("whole"));
    builder.damage("pack", damaged.id, (bytes) => bytes.fill(0));
    let round = 0;
    let last = await builder.pack(other);
    let index = await builder.index(damaged, last);
    const result = await checkWhile(one, async ({ type, name }) => {
      if (type !== "pack" || name !== last.id || round > 20) return;
      round++;
      const [oldIndex, oldPack] = [index, last.id];
      last = await builder.pack(other);
      index = await builder.index(damaged, last);
      await builder.backend.remove({ type: "index", name: oldIndex });
      await builder.backend.remove({ type: "pack", name: oldPack });
    });
    assert.ok(round > 1, `${round} rounds`);
    const named = result.problems.filter(({ file }) => file?.name === damaged.id);
    assert.equal(named.length, 1);
  });
});
