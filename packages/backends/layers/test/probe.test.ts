import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Backend,
  ComebackError,
  type FileType,
  isComebackError,
  type ListedFile,
  type LoadOptions,
  type OperationOptions,
  type RepositoryFile,
} from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { MemoryBackend, SeededRandom } from "@comeback/testkit";
import {
  checkObjectLock,
  type CheckStage,
  ContractBreach,
  measureLatencies,
  measureSpeed,
  type ProbeResult,
  runChecks,
} from "../src/probe/index.ts";

const random = new SeededRandom(81);
const { signal } = new AbortController();

function stageOf(backend: Backend, other: Backend): CheckStage {
  return {
    backend,
    other,
    clock: systemClock,
    newFile: (type) => ({ type, name: type === "config" ? "" : random.hex(32) }),
    newData: (sizeBytes) => random.bytes(sizeBytes),
  };
}

async function probe(backend: Backend, other: Backend): Promise<readonly ProbeResult[]> {
  const stage = stageOf(backend, other);
  const files = await runChecks(stage, { part: "files", signal });
  return [...files, ...(await runChecks(stage, { part: "config", signal }))];
}

/** Names of the checks that did not pass, with what came out. */
async function findings(backend: Backend, other: Backend): Promise<string[]> {
  const results = await probe(backend, other);
  return results
    .filter(({ outcome }) => outcome !== "passed")
    .map(({ name, outcome }) => `${name} ${outcome}`);
}

test("a backend that keeps the contract passes everything", async () => {
  const memory = new MemoryBackend();
  const results = await probe(memory, memory.sharing());
  assert.equal(results.length, 9);
  for (const { name, outcome, detail } of results)
    assert.equal(outcome, "passed", `${name}: ${detail}`);
});

/** As a store that overwrites: the last one wins. */
class Overwriting extends MemoryBackend {
  override async save(file: RepositoryFile, data: Uint8Array): Promise<void> {
    await super.remove(file);
    await super.save(file, data).catch((error: unknown) => {
      if (!isComebackError(error, "backend.exists")) throw error;
    });
  }
}

/** As a store that looks first and writes then. */
class LookingFirst extends MemoryBackend {
  override async save(
    file: RepositoryFile,
    data: Uint8Array,
    options?: OperationOptions,
  ): Promise<void> {
    const listed = await Array.fromAsync(this.list(file.type));
    if (listed.some(({ name }) => name === file.name)) return super.save(file, data, options);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    await super.save(file, data, options).catch((error: unknown) => {
      if (!isComebackError(error, "backend.exists")) throw error;
    });
  }
}

class ShortRanges extends MemoryBackend {
  override async load(
    file: RepositoryFile,
    options: LoadOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { sizeBytes } = await this.stat(file);
    const offset = Math.min(options.offset ?? 0, sizeBytes);
    const length = Math.min(options.length ?? sizeBytes, sizeBytes - offset);
    return super.load(file, { ...options, offset, length });
  }
}

class Forgetful extends MemoryBackend {
  override async *list(type: FileType, options?: OperationOptions): AsyncGenerator<ListedFile> {
    const files = await Array.fromAsync(super.list(type, options));
    yield* type === "index" ? files.slice(0, -1) : files;
  }
}

class AppendOnly extends MemoryBackend {
  override async remove(): Promise<void> {
    throw new ComebackError("backend.permission", "append-only");
  }
}

class Offline extends MemoryBackend {
  override async stat(): Promise<{ sizeBytes: number }> {
    throw new ComebackError("backend.unreachable", "no answer", { retryable: true });
  }
}

/** A save that is aborted, or under way, is there in part. */
class NotAtomic extends MemoryBackend {
  override async save(
    file: RepositoryFile,
    data: Uint8Array,
    options: OperationOptions = {},
  ): Promise<void> {
    await super.save(file, data.subarray(0, data.byteLength >> 1));
    for (let i = 0; i < 50; i++) {
      options.signal?.throwIfAborted();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.overwrite(file, data);
  }
}

test("what breaks the contract is found, and only that", async () => {
  const both = <T extends Backend>(backend: T): [T, T] => [backend, backend];
  assert.deepEqual(await findings(...both(new Overwriting())), [
    "create-only failed",
    "one-winner failed",
    "config failed",
  ]);
  assert.deepEqual(await findings(...both(new LookingFirst())), [
    "one-winner failed",
    "config failed",
  ]);
  assert.deepEqual(await findings(...both(new ShortRanges())), ["ranges failed"]);
  const forgetful = await findings(...both(new Forgetful()));
  assert.ok(forgetful.includes("list-after-write failed"), forgetful.join());
  const notAtomic = await findings(...both(new NotAtomic()));
  assert.ok(notAtomic.includes("never-in-part failed"), notAtomic.join());
  assert.ok(notAtomic.includes("abort failed"), notAtomic.join());
});

test("what the store refuses, or does not answer, is no breach and no proof", async () => {
  const appendOnly = new AppendOnly();
  assert.deepEqual(await findings(appendOnly, appendOnly), ["removal refused"]);
  const offline = new Offline();
  const outcomes = await findings(offline, offline);
  assert.ok(outcomes.includes("sizes unknown"), outcomes.join());
  assert.ok(
    outcomes.every((outcome) => !outcome.endsWith("failed")),
    outcomes.join(),
  );
});

test("an abort ends the checks, with its reason", async () => {
  const memory = new MemoryBackend();
  const reason = new Error("enough");
  const controller = new AbortController();
  const stage = stageOf(memory, memory);
  const checks = runChecks(
    {
      ...stage,
      newData: (sizeBytes) => {
        controller.abort(reason);
        return stage.newData(sizeBytes);
      },
    },
    { part: "files", signal: controller.signal },
  );
  await assert.rejects(checks, (error) => error === reason);
});

test("a lock on files is tried, and believed only if it holds", async () => {
  let untilMs: number | undefined;
  class Locking extends MemoryBackend {
    holds = true;
    readonly retention = {
      lockedUntilMs: async () => untilMs,
      extend: async (_: RepositoryFile, until: number) => void (untilMs = until),
    };

    override async remove(file: RepositoryFile): Promise<void> {
      if (this.holds) throw new ComebackError("backend.retained", "locked");
      await super.remove(file);
    }
  }
  const locking = new Locking();
  await checkObjectLock(stageOf(locking, locking), 60_000);
  locking.holds = false;
  const isBreach = (error: unknown): boolean => error instanceof ContractBreach;
  await assert.rejects(checkObjectLock(stageOf(locking, locking), 60_000), isBreach);
  const memory = new MemoryBackend();
  await assert.rejects(checkObjectLock(stageOf(memory, memory), 60_000), isBreach);
});

test("times are measured, and the files for them removed", async () => {
  const memory = new MemoryBackend();
  const stage = stageOf(memory, memory);
  const latencies = await measureLatencies(stage);
  for (const { medianMs, p95Ms } of Object.values(latencies)) assert.ok(p95Ms >= medianMs);
  const speed = await measureSpeed(stage, 3);
  assert.equal(speed.connections, 3);
  assert.ok(speed.uploadBytesPerSecond > 0 && speed.downloadBytesPerSecond > 0);
  for (const [type, files] of memory.contents()) assert.equal(files.size, 0, type);
});
