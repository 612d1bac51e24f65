import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backend } from "@comeback/core";
import { FaultyBackend } from "@comeback/testkit";
import {
  type CopyDestination,
  copyToSeveral,
  type CopyTarget,
} from "../../src/copy/copy-to-several.ts";
import type { CopyResult } from "../../src/copy/copy-options.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { listSnapshots } from "../../src/repository/snapshots.ts";
import { dataBlob, fileNode, RepositoryBuilder, treeBlob } from "../repository-builder.ts";

async function makeSource(): Promise<Repository> {
  const builder = await RepositoryBuilder.create({ seed: 21 });
  const data = dataBlob("content");
  const tree = treeBlob([fileNode("file", data)]);
  await builder.index(await builder.pack(data), await builder.pack(tree));
  await builder.snapshot(tree);
  const source = await builder.reopen();
  await source.loadIndex();
  return source;
}

/** A new repository behind its store, which may have been given faults. */
async function makeTarget(
  seed: number,
  wrap = (store: Backend): Backend => store,
): Promise<CopyTarget> {
  const builder = await RepositoryBuilder.create({ seed });
  const repository = await builder.reopen(wrap(builder.backend.sharing()));
  return { repository, mayWrite: Promise.resolve(), signal: new AbortController().signal };
}

test("a failing or slow destination neither fails nor holds up the others", async () => {
  const source = await makeSource();
  const snapshots = await listSnapshots(source);
  const good = await makeTarget(22);
  const slow = await makeTarget(23);
  const full = await makeTarget(24, (store) =>
    new FaultyBackend(store).stage({ method: "save", type: "pack", fault: { kind: "error" } }),
  );
  const settled: string[] = [];
  const isGoodDone = Promise.withResolvers<void>();
  const destination = (name: string, open: () => Promise<CopyTarget>): CopyDestination => ({
    open,
    onSettled: ({ status }) => {
      settled.push(`${name} ${status}`);
      if (name === "good") isGoodDone.resolve();
    },
  });
  const outcomes = await copyToSeveral({
    source,
    snapshots,
    destinations: [
      destination("closed", () => Promise.reject(new Error("it cannot be opened"))),
      // It only begins when the good one is over: so that one has waited for nobody.
      destination("slow", () => isGoodDone.promise.then(() => slow)),
      destination("full", () => Promise.resolve(full)),
      destination("good", () => Promise.resolve(good)),
    ],
  });
  const copied = outcomes.map((outcome) =>
    outcome.status === "fulfilled" ? outcome.value.copied : String(outcome.reason),
  );
  assert.deepEqual(copied.slice(0, 2), ["Error: it cannot be opened", 1]);
  assert.match(String(copied[2]), /a staged failure/);
  assert.equal(copied[3], 1);
  assert.equal(settled.at(-1), "slow fulfilled");
  for (const { repository } of [good, slow]) {
    assert.equal((await listSnapshots(repository)).length, 1);
  }
  assert.deepEqual(await listSnapshots(full.repository), []);
});

test("an abort ends all of them, with its reason", async () => {
  const source = await makeSource();
  const snapshots = await listSnapshots(source);
  const target = await makeTarget(25);
  const abort = new AbortController();
  const reason = new Error("Ctrl-C");
  const results: PromiseSettledResult<CopyResult>[] = [];
  const copying = copyToSeveral({
    source,
    snapshots,
    signal: abort.signal,
    destinations: [
      {
        open: () => {
          abort.abort(reason);
          return Promise.resolve(target);
        },
        onSettled: (outcome) => results.push(outcome),
      },
    ],
  });
  await assert.rejects(copying, reason);
  assert.deepEqual(results, []);
  assert.deepEqual(await listSnapshots(target.repository), []);
});
