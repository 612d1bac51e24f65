import assert from "node:assert/strict";
import { test } from "node:test";
import { runTasksInThisThread } from "@comeback/engine/internal";
import { SeededRandom } from "@comeback/testkit";
import { assertOutcome, RunWorld } from "./run-world.ts";

runTasksInThisThread(new SeededRandom(8));

const maintenance = {
  enter: [{ command: "flag up", undo: { command: "flag down" } }],
  timeout: "2m",
};
const isAtRest = (world: RunWorld): boolean => world.flags.has("maintenance");

test("a moment is pinned while the service is at rest, and read when it goes on", async () => {
  const world = await RunWorld.make({
    sources: { db: { pins: true }, content: { snapshot: "frozen" } },
    to: "nas",
    maintenance,
  });
  const seen: string[] = [];
  const note = (what: string): void => void seen.push(`${what} ${isAtRest(world)}`);
  world.source("db").onPin = () => note("pin");
  world.source("db").onRead = () => note("read db");
  world.snapshotter.onCreate = () => note("freeze");
  world.source("content").onRead = async () => {
    note("read content");
    // What happens after the moment is not part of it.
    world.write("content", { a: "changed" });
    world.write("db", { a: "changed" });
    assert.equal((await world.snapshotter.standing()).length, 1);
    await world.clock.advance(60_000);
  };
  assertOutcome(await world.run(), "ok");
  assert.deepEqual(seen, ["freeze true", "pin true", "read db false", "read content false"]);
  const [content] = await world.snapshots("nas", "content");
  // Its time is that of the frozen moment, not of the reading.
  assert.equal(Date.parse(content!.time), world.clock.now() - 60_000);
  assert.equal(world.outcomeOf("release", "frozen"), "ok");
  assert.deepEqual(await world.leftBehind(), []);
});

test("what cannot be pinned is read while the service is at rest, whatever else is", async () => {
  const world = await RunWorld.make({
    sources: { db: {}, logs: {} },
    to: "nas",
    maintenance: { ...maintenance, sources: ["db"] },
  });
  const seen: boolean[] = [];
  for (const name of ["db", "logs"])
    world.source(name).onRead = () => void seen.push(isAtRest(world));
  assertOutcome(await world.run(), "ok");
  assert.deepEqual(seen, [true, false]);
  assert.deepEqual(
    (await world.catalog.listSnapshots({ plan: "shop", limit: 9 })).map(({ outcome }) => outcome),
    ["ok", "ok", "ok"],
  );
});

test("what was read when the window had ended counts for nothing, and goes", async () => {
  const world = await RunWorld.make({
    sources: { db: {}, logs: {} },
    to: ["nas", "usb"],
    maintenance: { ...maintenance, sources: ["db"] },
  });
  assertOutcome(await world.run(), "ok");
  const [good] = await world.snapshots("nas", "db");
  world.source("db").onRead = async () => {
    await world.clock.advance(3 * 60_000);
    world.write("db", { a: "torn" });
  };
  const report = await world.run();
  assertOutcome(report, "failed");
  assert.equal(world.outcomeOf("resume"), "warning");
  const outcomes = report.sources.map(({ name, outcome }) => `${name} ${outcome}`);
  assert.deepEqual(outcomes, ["db failed", "logs ok"]);
  for (const name of ["nas", "usb"]) {
    assert.equal((await world.snapshots(name, "db")).length, 1, name);
    assert.equal((await world.snapshots(name, "logs")).length, 2, name);
    assert.equal(world.outcomeOf("retain", `${name}, spoilt`), "ok");
  }
  const records = await world.catalog.listSnapshots({ plan: "shop", source: "db", limit: 9 });
  assert.deepEqual(
    records.map(({ outcome, removedAtMs }) => [outcome, removedAtMs !== undefined]),
    [
      ["failed", true],
      ["failed", true],
      ["ok", false],
      ["ok", false],
    ],
  );
  world.source("db").onRead = () => undefined;
  assertOutcome(await world.run(), "ok");
  assert.equal((await world.snapshots("nas", "db")).at(-1)?.parent, good?.id);
});

test("a moment that was pinned too late is none, and is not read", async () => {
  const world = await RunWorld.make({
    sources: { db: { pins: true } },
    to: "nas",
    maintenance,
  });
  world.source("db").onPin = () => world.clock.advance(5 * 60_000);
  assertOutcome(await world.run(), "failed");
  assert.equal(world.source("db").reads, 0);
  assert.equal((await world.snapshots("nas", "db")).length, 0);
  assert.deepEqual(await world.leftBehind(), []);
});

test("what was pinned at rest is not tried again when the service is at work", async () => {
  const world = await RunWorld.make({
    sources: { db: { pins: true, retries: { count: 3, pause: "1s" } } },
    to: "nas",
    maintenance,
  });
  world.source("db").onRead = () => Promise.reject(new Error("connection lost"));
  assertOutcome(await world.run(), "failed");
  assert.equal(world.source("db").pins, 1);
  assert.deepEqual(await world.leftBehind(), []);
});

test("a service that cannot be brought to rest is not captured; the others are", async () => {
  const world = await RunWorld.make({
    sources: { db: { pins: true }, logs: {} },
    to: "nas",
    maintenance: { ...maintenance, sources: "db" },
  });
  world.commands.set("flag up", () => 1);
  const report = await world.run();
  assertOutcome(report, "failed");
  assert.deepEqual(
    report.sources.map(({ outcome }) => outcome),
    ["failed", "ok"],
  );
  assert.equal(world.source("db").pins, 0);
  assert.deepEqual(await world.leftBehind(), []);
});

test("no service is brought to rest for what nothing can take", async () => {
  const world = await RunWorld.make({ sources: { db: {} }, to: "nas", maintenance });
  world.store("nas").prepare = (backend) =>
    backend.stage({ method: "list", fault: { kind: "error" }, when: "always" });
  assertOutcome(await world.run(), "failed");
  assert.deepEqual(world.ran, []);
});

test("a service that does not come back is a failure, and no reason to lose what was read", async () => {
  const world = await RunWorld.make({ sources: { db: {} }, to: "nas", maintenance });
  let tries = 0;
  world.commands.set("flag down", () => (++tries < 6 ? 1 : world.commands.get("really down")!()));
  world.commands.set("really down", () => (world.flags.delete("maintenance"), 0));
  const work = world.run();
  await advanceUntilDone(world, work);
  const report = await work;
  assertOutcome(report, "failed");
  assert.equal(world.outcomeOf("resume"), "failed");
  assert.equal(report.sources[0]?.outcome, "ok");
  assert.equal((await world.snapshots("nas", "db")).length, 1);
  assert.deepEqual(await world.leftBehind(), []);
});

/** Pauses between the tries of undoing pass at once. */
async function advanceUntilDone(world: RunWorld, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  work.then(
    () => done.abort(),
    () => done.abort(),
  );
  while (!done.signal.aborted) {
    await new Promise((resolve) => setImmediate(resolve));
    const { nextWakeAtMs } = world.clock;
    if (nextWakeAtMs !== undefined && nextWakeAtMs - world.clock.now() < 60_000) {
      await world.clock.advance(nextWakeAtMs - world.clock.now());
    }
  }
}

test("a snapshot that did not stay whole: what was read from it counts for nothing, and goes", async () => {
  const world = await RunWorld.make({
    sources: { content: { snapshot: "frozen" }, logs: {} },
    to: "nas",
    copies: [{ from: "nas", to: "far" }],
  });
  assertOutcome(await world.run(), "ok");
  world.snapshotter.onVerify = () => Promise.reject(new Error("it overflowed"));
  const report = await world.run();
  assertOutcome(report, "failed");
  assert.ok(world.said(/its snapshot did not stay whole: it overflowed/));
  assert.deepEqual(
    report.sources.map(({ outcome }) => outcome),
    ["failed", "ok"],
  );
  for (const name of ["nas", "far"]) {
    assert.equal((await world.snapshots(name, "content")).length, 1, name);
    assert.equal((await world.snapshots(name, "logs")).length, 2, name);
  }
  const [record] = await world.catalog.listSnapshots({
    plan: "shop",
    source: "content",
    destination: "nas",
    limit: 1,
  });
  assert.equal(record?.outcome, "failed");
  assert.deepEqual(await world.leftBehind(), []);
});

test("a snapshot that cannot be removed is told, and what was read from it stays", async () => {
  const world = await RunWorld.make({ sources: { content: { snapshot: "frozen" } }, to: "nas" });
  world.snapshotter.onRemove = () => Promise.reject(new Error("device is busy"));
  const work = world.run();
  await advanceUntilDone(world, work);
  const report = await work;
  assertOutcome(report, "failed");
  assert.equal((await world.snapshots("nas", "content")).length, 1);
  assert.equal(report.sources[0]?.outcome, "ok");
  assert.equal(
    (await world.leftBehind()).length,
    2,
    "the snapshot, and the journal that tells of it",
  );
});

test("a snapshotter that cannot freeze fails its sources: the live files would be less", async () => {
  const world = await RunWorld.make({
    sources: { content: { snapshot: "frozen" }, logs: {} },
    to: "nas",
  });
  world.snapshotter.onCreate = () => Promise.reject(new Error("no space for it"));
  const report = await world.run();
  assertOutcome(report, "failed");
  assert.deepEqual(
    report.sources.map(({ outcome }) => outcome),
    ["failed", "ok"],
  );
  assert.equal(world.source("content").reads, 0);
  assert.deepEqual(await world.leftBehind(), []);
});

test("what a killed run read from a frozen view is no parent, no copy, and pushes nothing out", async () => {
  const world = await RunWorld.make({
    sources: { content: { snapshot: "frozen" } },
    to: "nas",
    keep: { last: 2 },
    copies: [{ from: "nas", to: "far" }],
  });
  await world.run();
  await world.run();
  const good = (await world.snapshots("nas", "content")).map(({ id }) => id);
  // As a run leaves it that ends before anybody has looked: stored, and not known to be right.
  world.snapshotter.onVerify = () => {
    world.abort.abort(new Error("killed"));
    throw world.abort.signal.reason;
  };
  await assert.rejects(world.run(), /killed/);
  const [unproven] = (await world.snapshots("nas", "content")).filter(
    ({ id }) => !good.includes(id),
  );
  assert.ok(unproven);
  world.snapshotter.onVerify = () => undefined;
  const next = world.again();
  assertOutcome(await next.run(), "ok");
  const left = (await next.snapshots("nas", "content")).map(({ id }) => id);
  assert.ok(left.includes(good[1]!), "the newest good one is still there");
  const newest = (await next.snapshots("nas", "content")).at(-1);
  assert.equal(newest?.parent, good[1]);
  const copied = (await next.snapshots("far", "content")).map(({ original }) => original);
  assert.ok(!copied.includes(unproven.id));
  assert.deepEqual(await next.leftBehind(), []);
});
