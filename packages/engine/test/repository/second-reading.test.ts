import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyBackend } from "@comeback/testkit";
import { cat } from "../../src/cat/cat.ts";
import { upgradeConfig } from "../../src/migrate/upgrade-config.ts";
import { examineHotPart } from "../../src/repository/hot-part.ts";
import { addKey } from "../../src/repository/keys.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { loadSnapshot } from "../../src/repository/snapshots.ts";
import {
  CHEAP_SCRYPT,
  dataBlob,
  fileNode,
  RepositoryBuilder,
  treeBlob,
} from "../repository-builder.ts";

const TYPES = ["config", "key", "index", "snapshot", "pack"] as const;

/** A repository with one of everything, behind whatever is done to it. */
async function makeRepository(builder: RepositoryBuilder): Promise<{
  readonly snapshotId: string;
  readonly blobs: readonly [data: string, tree: string];
}> {
  const content = dataBlob("what is in the file");
  const tree = treeBlob([fileNode("file", content)]);
  await builder.index(await builder.pack(content), await builder.pack(tree));
  const { id } = await builder.snapshot(tree);
  return { snapshotId: id, blobs: [content.id, tree.id] };
}

async function readAll(
  builder: RepositoryBuilder,
  backend: FaultyBackend,
  made: Awaited<ReturnType<typeof makeRepository>>,
): Promise<void> {
  const { snapshotId, blobs } = made;
  const repository = await builder.reopen(backend);
  await repository.loadIndex();
  await loadSnapshot(repository, snapshotId, {});
  const data = await repository.loadBlob("data", blobs[0]);
  assert.equal(Buffer.from(data).toString(), "what is in the file");
  await repository.loadBlob("tree", blobs[1]);
}

test("what comes with another bit is read once more", async () => {
  await using builder = await RepositoryBuilder.create();
  const made = await makeRepository(builder);
  for (const type of TYPES) {
    const backend = new FaultyBackend(builder.backend.sharing());
    // Of packs the first and, after its second reading, the next one.
    for (const when of type === "pack" ? [1, 3] : [1]) {
      backend.stage({ method: "load", type, when, fault: { kind: "flip", atByte: 10 } });
    }
    await readAll(builder, backend, made);
    const loads = backend.calls.filter((call) => call.method === "load" && call.type === type);
    assert.equal(loads.length, type === "pack" ? 4 : 2, type);
  }
});

test("what comes with another bit every time is damaged", async () => {
  await using builder = await RepositoryBuilder.create();
  const made = await makeRepository(builder);
  for (const type of TYPES) {
    const backend = new FaultyBackend(builder.backend.sharing());
    backend.stage({ method: "load", type, when: "always", fault: { kind: "flip", atByte: 10 } });
    await assert.rejects(readAll(builder, backend, made), { code: "repository.damaged" }, type);
  }
});

const KEEPER = { keep: async () => "/some/where", drop: async () => {} };

/** Each with how often it reads the config. */
const CONFIG_READERS: readonly [
  what: string,
  readings: number,
  read: (repository: Repository, backend: FaultyBackend) => Promise<unknown>,
][] = [
  ["cat", 1, (repository) => cat(repository, { kind: "config" })],
  [
    "the proof of a key",
    1,
    (repository) => addKey(repository, { password: "b", scryptCost: CHEAP_SCRYPT }),
  ],
  ["a migration", 2, (repository) => upgradeConfig(repository, { keeper: KEEPER })],
  [
    "a look at a hot part",
    1,
    async (repository, backend) => {
      assert.equal(await examineHotPart(repository, backend), "whole");
    },
  ],
];

test("whoever reads the config of an open repository reads a bad one once more", async () => {
  for (const [what, readings, read] of CONFIG_READERS) {
    await using builder = await RepositoryBuilder.create({ version: 1 });
    const backend = new FaultyBackend(builder.backend.sharing());
    const repository = await builder.reopen(backend);
    backend.calls.length = 0;
    const flip = { kind: "flip", atByte: 10 } as const;
    // The first of every two.
    for (let reading = 0; reading < readings; reading++) {
      const when = 1 + 2 * reading;
      backend.stage({ method: "load", type: "config", when, fault: flip });
    }
    await read(repository, backend);
    const loads = backend.calls.filter(
      ({ method, type }) => method === "load" && type === "config",
    );
    assert.equal(loads.length, 2 * readings, what);
  }
});
