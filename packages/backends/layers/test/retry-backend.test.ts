import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import {
  ComebackError,
  isComebackError,
  RETRY_PAUSE_MAX_MS,
  RETRY_TOTAL_MAX_MS,
  type RepositoryFile,
} from "@comeback/core";
import { FaultyBackend, MemoryBackend, SeededRandom, SimulatedClock } from "@comeback/testkit";
import { Retrier, RetryBackend, type RetryNotice, type RetryOptions } from "../src/index.ts";
import { driven } from "./drive-clock.ts";

const data = new SeededRandom(3).bytes(10_000);
const CONFIG: RepositoryFile = { type: "config", name: "" };
const pack: RepositoryFile = { type: "pack", name: hash("sha256", data, "hex") };

class Fixture {
  readonly clock = new SimulatedClock();
  readonly memory = new MemoryBackend();
  readonly faulty = new FaultyBackend(this.memory);
  readonly notices: RetryNotice[] = [];
  readonly ends: string[] = [];
  readonly backend: RetryBackend;

  constructor(options: Partial<RetryOptions> = {}) {
    this.backend = new RetryBackend(this.faulty, {
      clock: this.clock,
      random: new SeededRandom(1),
      observer: {
        onRetry: (notice) => void this.notices.push(notice),
        onRecovered: (doing, failures) => void this.ends.push(`${doing} worked after ${failures}`),
        onGivenUp: (doing, failures) => void this.ends.push(`${doing} ended after ${failures}`),
      },
      ...options,
    });
  }

  drive<T>(work: Promise<T>): Promise<T> {
    return driven(this.clock, work);
  }

  methods(): string {
    return this.faulty.calls.map(({ method }) => method).join(" ");
  }
}

test("a call that fails for the time being is made again, after pauses that grow", async () => {
  const fixture = new Fixture();
  const { faulty, backend, notices } = fixture;
  await backend.save(pack, data);
  for (const when of [1, 2, 3, 4]) faulty.stage({ method: "load", when, fault: { kind: "error" } });
  assert.deepEqual(await fixture.drive(backend.load(pack)), data);
  assert.equal(fixture.methods(), "save load load load load load");
  assert.deepEqual(
    notices.map(({ failures }) => failures),
    [1, 2, 3, 4],
  );
  for (const [i, { pauseMs, doing }] of notices.entries()) {
    const plainMs = 1000 * 2 ** i;
    assert.ok(pauseMs >= plainMs * 0.5 && pauseMs <= plainMs * 1.5, `${i}: ${pauseMs}`);
    assert.equal(doing, `loading pack ${pack.name.slice(0, 10)}`);
  }
  assert.deepEqual(fixture.ends, [`loading pack ${pack.name.slice(0, 10)} worked after 4`]);
});

test("what is final fails at once, in every method", async () => {
  const fixture = new Fixture();
  const { faulty, backend, notices } = fixture;
  for (const method of ["save", "load", "stat", "remove", "list"] as const) {
    const error = new ComebackError("backend.permission", `no ${method}`);
    faulty.stage({ method, fault: { kind: "error", error } });
  }
  const isNo = (error: unknown): boolean => isComebackError(error, "backend.permission");
  await assert.rejects(backend.save(pack, data), isNo);
  await assert.rejects(backend.load(pack), isNo);
  await assert.rejects(backend.stat(pack), isNo);
  await assert.rejects(backend.remove(pack), isNo);
  await assert.rejects(Array.fromAsync(backend.list("pack")), isNo);
  assert.equal(notices.length, 0);
  assert.equal(fixture.methods(), "save load stat remove list");
});

test("a name that was known before is looked up again, and a wrong one is told at once", async () => {
  const details = { context: { systemError: "ENOTFOUND" } };
  const error = new ComebackError("backend.unknown-host", "no address is known", details);
  const fixture = new Fixture();
  const { clock, faulty, backend, notices } = fixture;
  await backend.save(pack, data);
  for (const when of [1, 2, 3]) {
    faulty.stage({ method: "load", when, fault: { kind: "error", error } });
  }
  assert.deepEqual(await fixture.drive(backend.load(pack)), data);
  assert.equal(notices.length, 3);

  const opening = new Retrier({ clock, random: new SeededRandom(1) });
  let attempts = 0;
  const open = async (): Promise<never> => {
    attempts++;
    throw error;
  };
  await assert.rejects(opening.run("opening the storage", undefined, open), /no address/);
  assert.equal(attempts, 1);

  // A key that nobody vouches for is as unknown as before.
  const unknownKey = new ComebackError("backend.unknown-host", "the host key is not known");
  faulty.stage({ method: "stat", fault: { kind: "error", error: unknownKey } });
  await assert.rejects(backend.stat(pack), /host key/);
});

test("a store that stays away is given up within the time bound", async () => {
  const fixture = new Fixture();
  const { clock, faulty, backend, notices } = fixture;
  faulty.stage({ method: "stat", when: "always", fault: { kind: "error" } });
  faulty.stage({ method: "remove", when: 1, fault: { kind: "error" } });
  const startMs = clock.now();
  await assert.rejects(fixture.drive(backend.stat(pack)), /a staged failure/);
  const tookMs = clock.now() - startMs;
  assert.ok(tookMs <= RETRY_TOTAL_MAX_MS, `${tookMs}`);
  assert.ok(tookMs > RETRY_TOTAL_MAX_MS - 2 * RETRY_PAUSE_MAX_MS, `${tookMs}`);
  // Now the store counts as gone, until something works.
  const before = notices.length;
  await assert.rejects(backend.stat(pack), /a staged failure/);
  await assert.rejects(backend.remove(pack), /a staged failure/);
  assert.equal(notices.length, before);
  await backend.remove(pack);
  faulty.stage({ method: "load", fault: { kind: "error" } });
  await fixture.drive(assert.rejects(backend.load(pack), /is not in memory/));
  assert.equal(notices.length, before + 1);
});

test("a machine that slept for hours in an attempt has not used its time up", async () => {
  const fixture = new Fixture();
  const { clock, faulty, backend } = fixture;
  const fault = { kind: "delay", delayMs: 8 * 3_600_000, clock } as const;
  faulty.stage({ method: "stat", when: 1, fault });
  await backend.save(pack, data);
  const inner = faulty.stat.bind(faulty);
  faulty.stat = async (file, options) => {
    const result = await inner(file, options);
    if (faulty.calls.filter(({ method }) => method === "stat").length > 1) return result;
    throw new ComebackError("backend.unreachable", "asleep", { retryable: true });
  };
  assert.deepEqual(await fixture.drive(backend.stat(pack)), { sizeBytes: data.byteLength });
});

test("a store gets the longer pause that it asks for, as long as there is time", async () => {
  const fixture = new Fixture();
  const { faulty, backend, notices } = fixture;
  await backend.save(pack, data);
  for (const [at, retryAfterMs] of [30_000, 10, 300_000, 3_600_000].entries()) {
    const details = { retryable: true, context: { retryAfterMs } };
    const error = new ComebackError("backend.busy", "slow down", details);
    faulty.stage({ method: "stat", when: at + 1, fault: { kind: "error", error } });
  }
  await fixture.drive(backend.stat(pack));
  const pauses = notices.map(({ pauseMs }) => pauseMs);
  assert.equal(pauses[0], 30_000);
  assert.ok(pauses[1]! >= 1000 && pauses[1]! < 30_000);
  assert.equal(pauses[2], 300_000);
  // The last attempt is made when the time is over, and not before.
  assert.equal(
    pauses.reduce((sum, pauseMs) => sum + pauseMs, 0),
    RETRY_TOTAL_MAX_MS,
  );
});

test("a store that asks for one long pause after the other is given up within the bound", async () => {
  const fixture = new Fixture();
  const { clock, faulty, backend, notices } = fixture;
  const details = { retryable: true, context: { retryAfterMs: 600_000 } };
  const error = new ComebackError("backend.busy", "slow down", details);
  faulty.stage({ method: "stat", when: "always", fault: { kind: "error", error } });
  const startMs = clock.now();
  await assert.rejects(fixture.drive(backend.stat(pack)), /slow down/);
  assert.equal(clock.now() - startMs, RETRY_TOTAL_MAX_MS);
  assert.deepEqual(
    notices.map(({ pauseMs }) => pauseMs),
    [600_000, 300_000],
  );
});

test("an abort ends the wait, with its reason", async () => {
  const fixture = new Fixture();
  const { clock, faulty, backend } = fixture;
  faulty.stage({ method: "stat", when: "always", fault: { kind: "error" } });
  const controller = new AbortController();
  const rejected = assert.rejects(
    backend.stat(pack, { signal: controller.signal }),
    (error) => error === controller.signal.reason,
  );
  await clock.advance(0);
  assert.equal(clock.sleeping, 1);
  controller.abort(new Error("enough"));
  await rejected;
  assert.equal(clock.sleeping, 0);
  assert.equal(fixture.methods(), "stat");
});

test("once the command is to stop, nothing is made again", async () => {
  const controller = new AbortController();
  const fixture = new Fixture({ stop: controller.signal });
  const { clock, faulty, backend } = fixture;
  faulty.stage({ method: "remove", when: "always", fault: { kind: "error" } });
  const rejected = assert.rejects(backend.remove(pack), /a staged failure/);
  await clock.advance(0);
  controller.abort();
  await rejected;
  await assert.rejects(backend.remove(pack), /a staged failure/);
  assert.equal(fixture.methods(), "remove remove");
});

test("a save whose answer was lost is found to have worked", async () => {
  for (const file of [pack, CONFIG, { type: "key", name: "ab".repeat(32) } as const]) {
    const fixture = new Fixture();
    const { faulty, backend, memory } = fixture;
    faulty.stage({ method: "save", fault: { kind: "lost-answer" } });
    await fixture.drive(backend.save(file, data));
    assert.equal(fixture.methods(), "save save stat load");
    assert.deepEqual(await memory.load(file), data);
  }
});

test("a torn file of a save that failed is replaced", async () => {
  for (const keepBytes of [0, 100, data.byteLength - 1]) {
    const fixture = new Fixture();
    const { faulty, backend, memory } = fixture;
    faulty.stage({ method: "save", fault: { kind: "torn-save", keepBytes } });
    await fixture.drive(backend.save(pack, data));
    assert.deepEqual(await memory.load(pack), data);
  }
});

test("a file of the right size and wrong content is replaced as well", async () => {
  const fixture = new Fixture();
  const { faulty, backend, memory } = fixture;
  faulty.stage({ method: "save", fault: { kind: "lost-answer" } });
  const saving = backend.save(pack, data);
  await fixture.clock.advance(0);
  const damaged = data.slice();
  damaged[5000]! ^= 1;
  memory.overwrite(pack, damaged);
  await fixture.drive(saving);
  assert.deepEqual(await memory.load(pack), data);
});

test("a save that is torn, and whose removal and second save fail too, works in the end", async () => {
  const fixture = new Fixture();
  const { faulty, backend, memory } = fixture;
  faulty.stage({ method: "save", when: 1, fault: { kind: "torn-save", keepBytes: 7 } });
  faulty.stage({ method: "remove", when: 1, fault: { kind: "lost-answer" } });
  faulty.stage({ method: "save", when: 3, fault: { kind: "torn-save", keepBytes: 9 } });
  faulty.stage({ method: "stat", when: 1, fault: { kind: "error" } });
  await fixture.drive(backend.save(pack, data));
  assert.deepEqual(await memory.load(pack), data);
});

test("somebody else's file is never taken for ours, nor removed", async () => {
  const theirs = data.slice(0, 500);
  const other: RepositoryFile = { type: "key", name: "cd".repeat(32) };
  for (const file of [CONFIG, other]) {
    const fixture = new Fixture();
    const { faulty, backend, memory, clock } = fixture;
    faulty.stage({ method: "save", fault: { kind: "error" } });
    const saving = backend.save(file, data);
    saving.catch(() => {});
    await clock.advance(0);
    await memory.save(file, theirs);
    const isTaken = (error: unknown): boolean => isComebackError(error, "backend.exists");
    await assert.rejects(fixture.drive(saving), isTaken);
    assert.deepEqual(await memory.load(file), theirs);
    // Taken from the start: not even compared.
    faulty.calls.length = 0;
    await assert.rejects(backend.save(file, theirs), isTaken);
    assert.equal(fixture.methods(), "save");
  }
});

test("a list that breaks begins anew, and names nothing twice or never", async () => {
  const fixture = new Fixture();
  const { memory, backend, faulty } = fixture;
  const random = new SeededRandom(11);
  const names = Array.from({ length: 50 }, () => random.hex(32));
  for (const name of names) await memory.save({ type: "pack", name }, data);
  let lists = 0;
  faulty.list = async function* (type, options) {
    lists++;
    let left = lists < 6 ? lists * 7 : Number.POSITIVE_INFINITY;
    for await (const file of memory.list(type, options)) {
      if (left-- === 0) throw new ComebackError("backend.io", "cut", { retryable: true });
      yield file;
    }
  };
  const listed = await fixture.drive(Array.fromAsync(backend.list("pack")));
  assert.equal(lists, 6);
  assert.deepEqual(listed.map(({ name }) => name).sort(), names.toSorted());
});

test("thaws, states, locks and left-over files are asked for again", async () => {
  const fixture = new Fixture();
  const asked: string[] = [];
  const failFirst = (what: string): void => {
    const isFirst = !asked.includes(what);
    asked.push(what);
    if (isFirst) throw new ComebackError("backend.busy", what, { retryable: true });
  };
  const { memory, clock } = fixture;
  const inner = Object.assign(memory, {
    archive: {
      tiers: () => [{ name: "Bulk", waitHours: 48 }],
      async *states(names: Iterable<string>) {
        for (const name of names) {
          yield { name, sizeBytes: 1, state: "archived", storageClass: "DEEP" } as const;
          failFirst("states");
        }
      },
      thaw: async () => failFirst("thaw"),
    },
    retention: {
      lockedUntilMs: async () => (failFirst("lockedUntilMs"), 5),
      extend: async () => failFirst("extend"),
    },
    leftOvers: async () => {
      failFirst("find");
      const remove = async (): Promise<void> => failFirst("remove");
      return [{ path: "a", sizeBytes: 1, modifiedMs: 2, remove }];
    },
  });
  const { archive, leftOvers, retention } = new RetryBackend(inner, {
    clock,
    random: new SeededRandom(1),
  });
  assert.ok(archive !== undefined && retention !== undefined && leftOvers !== undefined);
  const [left] = await fixture.drive(leftOvers());
  await fixture.drive(left!.remove());
  assert.equal(asked.filter((what) => what === "remove").length, 2);
  await fixture.drive(archive.thaw(pack.name, { tier: "Bulk", days: 1 }));
  const states = await fixture.drive(Array.fromAsync(archive.states(["a", "b", "c"])));
  assert.deepEqual(
    states.map(({ name }) => name),
    ["a", "b", "c"],
  );
  assert.equal(await fixture.drive(retention.lockedUntilMs(pack)), 5);
  await fixture.drive(retention.extend(pack, 9));
  assert.equal(asked.filter((what) => what === "thaw").length, 2);
  assert.equal(asked.filter((what) => what === "extend").length, 2);
  assert.equal(archive.tiers("DEEP").length, 1);
});
