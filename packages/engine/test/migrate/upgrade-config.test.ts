import assert from "node:assert/strict";
import { test } from "node:test";
import { ComebackError, isComebackError } from "@comeback/core";
import { type MemoryBackend, SeededRandom, SimulatedClock } from "@comeback/testkit";
import { MIGRATIONS } from "../../src/migrate/migrations.ts";
import { type ConfigKeeper, upgradeConfig } from "../../src/migrate/upgrade-config.ts";
import { Repository } from "../../src/repository/repository.ts";
import {
  CHEAP_SCRYPT,
  dataBlob,
  fileNode,
  flipBit,
  RepositoryBuilder,
  TEST_PASSWORD,
  treeBlob,
} from "../repository-builder.ts";

const CONFIG = { type: "config", name: "" } as const;

/** Keeps the copy in memory, and notes what is told. */
class Keeper implements ConfigKeeper {
  copy: Uint8Array | undefined;
  dropped = false;

  keep(config: Uint8Array): Promise<string> {
    this.copy = config.slice();
    return Promise.resolve("/some/where/config");
  }

  drop(): Promise<void> {
    this.dropped = true;
    return Promise.resolve();
  }
}

async function opened(backend: MemoryBackend): Promise<Repository> {
  const clock = new SimulatedClock();
  return Repository.open({ backend, password: TEST_PASSWORD, clock, random: new SeededRandom(4) });
}

async function versionOf(backend: MemoryBackend): Promise<number> {
  await using repository = await opened(backend);
  return repository.config.version;
}

async function oldRepository(): Promise<RepositoryBuilder> {
  const builder = await RepositoryBuilder.create({ version: 1 });
  const content = dataBlob("content of version 1");
  const top = treeBlob([fileNode("file", content)]);
  await builder.index(await builder.pack(content), await builder.pack(top));
  await builder.snapshot(top);
  return builder;
}

test("a repository of version 1 becomes one of version 2 with all that it is", async () => {
  await using builder = await oldRepository();
  const { repository, backend } = builder;
  assert.deepEqual(
    MIGRATIONS.filter((migration) => migration.isApplicable(repository)).map(({ name }) => name),
    ["upgrade_repo_v2"],
  );
  const keeper = new Keeper();
  const told: string[] = [];
  const before = backend.contents();
  await upgradeConfig(repository, { keeper, onKept: (where) => void told.push(where) });
  assert.deepEqual(told, ["/some/where/config"]);
  assert.deepEqual(keeper.copy, before.get("config")?.get(""));
  assert.ok(keeper.dropped);
  await using upgraded = await opened(backend.sharing());
  const { version, id, chunkerPolynomial } = repository.config;
  assert.deepEqual([version, upgraded.config.version], [1, 2]);
  assert.deepEqual(upgraded.config, {
    version: 2,
    id,
    chunkerPolynomial,
    raw: { ...repository.config.raw, ...upgraded.config.raw },
  });
  for (const type of ["key", "index", "snapshot", "pack"] as const) {
    assert.deepEqual(backend.contents().get(type), before.get(type));
  }
  assert.ok(MIGRATIONS.every((migration) => !migration.isApplicable(upgraded)));
  const again = upgradeConfig(upgraded, { keeper: new Keeper() });
  await assert.rejects(again, { code: "migration.failed" });
});

test("a crash at any moment leaves the old config, the new one, or a copy that brings it back", async () => {
  await using builder = await oldRepository();
  const { repository, backend } = builder;
  const keeper = new Keeper();
  const crashes: { readonly store: MemoryBackend; readonly copy: Uint8Array | undefined }[] = [];
  const noteCrash = (): void => void crashes.push({ store: backend.clone(), copy: keeper.copy });
  for (const call of ["save", "remove", "load"] as const) {
    const original = backend[call].bind(backend) as (...args: unknown[]) => Promise<unknown>;
    Object.assign(backend, {
      [call]: async (...args: unknown[]) => {
        noteCrash();
        const result = await original(...args);
        noteCrash();
        return result;
      },
    });
  }
  await upgradeConfig(repository, { keeper });
  const outcomes = new Set<string>();
  for (const { store, copy } of crashes) {
    const config = store.contents().get("config");
    if (config?.size === 0) {
      assert.ok(copy !== undefined, "the copy comes first");
      await store.save(CONFIG, copy);
      outcomes.add("copy");
    }
    outcomes.add(`version ${await versionOf(store)}`);
  }
  assert.deepEqual(outcomes, new Set(["version 1", "copy", "version 2"]));
});

test("a store that fails gets its old config back, or the copy is named", async () => {
  for (const failures of [1, 2]) {
    await using builder = await oldRepository();
    const { repository, backend } = builder;
    const keeper = new Keeper();
    const save = backend.save.bind(backend);
    let left = failures;
    backend.save = (file, data, options) =>
      left-- > 0
        ? Promise.reject(new ComebackError("backend.full", "full"))
        : save(file, data, options);
    await assert.rejects(upgradeConfig(repository, { keeper }), (error) => {
      assert.ok(isComebackError(error, "migration.failed"));
      assert.equal(error.next?.includes("/some/where/config"), failures === 2);
      return /full/.test(error.why ?? "");
    });
    assert.equal(keeper.dropped, false);
    const config = backend.contents().get("config");
    assert.equal(config?.size, failures === 1 ? 1 : 0);
    if (failures === 1) assert.equal(await versionOf(backend.sharing()), 1);
  }
});

test("nothing is touched where no copy can be kept, the config is damaged, or it was interrupted", async () => {
  await using builder = await oldRepository();
  const { repository, backend } = builder;
  const before = backend.contents();
  const keeper = new Keeper();
  keeper.keep = () => Promise.reject(new Error("no room"));
  await assert.rejects(upgradeConfig(repository, { keeper }), /no room/);
  const controller = new AbortController();
  const onKept = (): void => controller.abort(new Error("enough"));
  const { signal } = controller;
  await assert.rejects(
    upgradeConfig(repository, { keeper: new Keeper(), onKept, signal }),
    /enough/,
  );
  assert.deepEqual(backend.contents(), before);
  builder.damage("config", "", flipBit(-3));
  const damagedConfig = backend.contents();
  await assert.rejects(upgradeConfig(repository, { keeper: new Keeper() }), {
    code: "repository.damaged",
  });
  assert.deepEqual(backend.contents(), damagedConfig);
});

test("no new repository is made over one that has lost its config", async () => {
  await using builder = await oldRepository();
  const { backend } = builder;
  await backend.remove(CONFIG);
  const options = { password: "other", clock: new SimulatedClock(), random: new SeededRandom(5) };
  const other = backend.sharing();
  await assert.rejects(Repository.init({ backend: other, scryptCost: CHEAP_SCRYPT, ...options }), {
    code: "repository.no-config",
  });
  assert.equal(backend.contents().get("key")?.size, 1);
});
