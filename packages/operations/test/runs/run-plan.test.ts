import assert from "node:assert/strict";
import { test } from "node:test";
import { runTasksInThisThread } from "@comeback/engine/internal";
import { SeededRandom } from "@comeback/testkit";
import { assertOutcome, RunWorld } from "./run-world.ts";

runTasksInThisThread(new SeededRandom(7));

test("a run captures every source into every destination, verified, recorded and told", async () => {
  const world = await RunWorld.make({
    sources: { content: {}, db: { pins: true } },
    to: ["nas", "usb"],
    keep: { last: 2 },
    notify: "ops",
  });
  assertOutcome(await world.run(), "ok");
  for (const name of ["nas", "usb"]) {
    const snapshots = await world.snapshots(name);
    assert.deepEqual(snapshots.map(({ tags = [] }) => tags.slice(0, 3).join(" ")).toSorted(), [
      "plan:shop source:content type:full",
      "plan:shop source:db type:full",
    ]);
    assert.equal((await world.snapshots(name, "comeback-kit")).length, 1);
    assert.equal(world.outcomeOf("verify", name), "ok");
    assert.equal(world.outcomeOf("retain", name), "ok");
  }
  // Several destinations, and each source was read once.
  assert.deepEqual([world.source("content").reads, world.source("db").reads], [1, 1]);
  const [state] = await world.catalog.planStates(["shop"]);
  assert.equal(state?.newest.filter(({ source }) => source !== "comeback-kit").length, 4);
  assert.equal(state?.lastGoodRun?.id, state?.lastRun?.id);
  assert.equal(state?.lastProof?.outcome, "ok");
  const actions = (await world.catalog.listAudit(0, 10)).map(({ action }) => action);
  assert.deepEqual(actions, ["run.start", "run.end"]);
  const events = world.notifications.map(({ event }) => event);
  assert.deepEqual(events, ["run.started", "run.ok"]);
  assert.deepEqual(await world.leftBehind(), []);
});

test("a source that fails is told, the others go on, and the run failed", async () => {
  const world = await RunWorld.make({ sources: { bad: {}, gone: {}, good: {} }, to: "nas" });
  world.source("bad").onRead = () => Promise.reject(new Error("the disk clicks"));
  world.source("gone").onProbe = () => Promise.reject(new Error("nobody answers"));
  const report = await world.run();
  assertOutcome(report, "failed");
  assert.match(report.run.message ?? "", /nobody answers/);
  assert.deepEqual(
    report.sources.map(({ name, outcome }) => [name, outcome]),
    [
      ["bad", "failed"],
      ["gone", "failed"],
      ["good", "ok"],
    ],
  );
  assert.match(report.sources[0]?.failure ?? "", /the disk clicks/);
  assert.equal((await world.snapshots("nas", "good")).length, 1);
  assert.equal((await world.snapshots("nas")).length, 1);
  assert.equal(world.notifications.length, 0);
  assert.deepEqual(await world.leftBehind(), []);
});

test("a destination that cannot be opened is told, and the others get everything", async () => {
  const world = await RunWorld.make({ sources: { content: {} }, to: ["nas", "usb"] });
  world.store("nas").prepare = (backend) =>
    backend.stage({ method: "list", fault: { kind: "error" }, when: "always" });
  const report = await world.run();
  assertOutcome(report, "failed");
  assert.equal(world.outcomeOf("preflight", "nas"), "failed");
  assert.equal((await world.snapshots("usb")).length, 1);
  assert.equal(report.sources[0]?.outcome, "ok");
  world.store("nas").prepare = () => undefined;
  assertOutcome(await world.run(), "ok");
  assert.deepEqual(await world.leftBehind(), []);
});

test("a destination that breaks in the middle is left behind, and the source read once more", async () => {
  const world = await RunWorld.make({
    sources: { one: {}, two: { pins: true } },
    to: ["nas", "usb"],
  });
  world.store("nas").prepare = (backend) =>
    backend.stage({ method: "save", type: "pack", fault: { kind: "error" }, when: "always" });
  const report = await world.run();
  assertOutcome(report, "failed");
  assert.equal((await world.snapshots("nas")).length, 0);
  assert.equal((await world.snapshots("usb")).length, 2);
  // A pinned source is read once: for the next destination it is pinned again.
  assert.deepEqual([world.source("one").pins, world.source("two").pins], [2, 1]);
  assert.ok(world.said(/nas: a staged failure/));
  assert.deepEqual(await world.leftBehind(), []);
});

test("a second destination that breaks fails the run, and the first has everything", async () => {
  const world = await RunWorld.make({ sources: { one: {}, two: {} }, to: ["nas", "usb"] });
  world.store("usb").prepare = (backend) =>
    backend.stage({ method: "save", type: "snapshot", fault: { kind: "error" }, when: "always" });
  assertOutcome(await world.run(), "failed");
  assert.equal((await world.snapshots("nas")).length, 2);
  assert.equal((await world.snapshots("usb")).length, 0);
  assert.deepEqual([world.source("one").reads, world.source("two").reads], [1, 1]);
  assert.deepEqual(await world.leftBehind(), []);
});

test("where every destination fails, each source says what each of them said", async () => {
  const world = await RunWorld.make({ sources: { one: {} }, to: ["nas", "usb"] });
  for (const name of ["nas", "usb"]) {
    world.store(name).prepare = (backend) =>
      backend.stage({ method: "save", type: "pack", fault: { kind: "error" }, when: "always" });
  }
  assertOutcome(await world.run(), "failed");
  assert.ok(world.said(/no destination takes the source: nas: a staged.*usb: a staged/));
  assert.deepEqual(await world.leftBehind(), []);
});

test("a capture is tried again after a pause that doubles, from the beginning", async () => {
  const world = await RunWorld.make({
    sources: { content: { retries: { count: 3, pause: "10s" } } },
    to: "nas",
  });
  world.source("content").onRead = (before) => {
    if (before < 2) throw new Error("busy");
  };
  const before = world.clock.now();
  assertOutcome(await world.run(), "ok");
  const stage = world.ended.find(({ stage: name }) => name === "capture");
  assert.deepEqual([stage?.attempts, stage?.outcome], [3, "ok"]);
  assert.equal(world.clock.now() - before, 3_600_000 + 10_000 + 20_000);
  assert.ok(world.said(/busy; tried again in 10 s/) && world.said(/busy; tried again in 20 s/));
});

test("tries come to an end, and then it has failed", async () => {
  const world = await RunWorld.make({
    sources: { content: { retries: { count: 2, pause: "1s" } } },
    to: "nas",
  });
  world.source("content").onRead = () => Promise.reject(new Error("busy"));
  assertOutcome(await world.run(), "failed");
  assert.equal(world.source("content").pins, 3);
});

test("a capture that takes longer than it may is ended, and the next goes on", async () => {
  const world = await RunWorld.make({ sources: { slow: { timeout: "1m" }, quick: {} }, to: "nas" });
  world.source("slow").onRead = async (_, signal) => {
    await world.clock.advance(61_000);
    signal.throwIfAborted();
  };
  const report = await world.run();
  assertOutcome(report, "failed");
  assert.ok(world.said(/capture took longer than it may: its time limit is 1 min/));
  assert.equal(report.sources[1]?.outcome, "ok");
});

test("a run that takes longer than it may is ended, and still tells everybody", async () => {
  const world = await RunWorld.make({
    sources: { slow: {} },
    to: "nas",
    timeout: "2h",
    notify: "ops",
    hooks: [{ on: "failure", command: "told" }],
  });
  world.source("slow").onRead = async (_, signal) => {
    await world.clock.advance(2.5 * 3_600_000);
    signal.throwIfAborted();
  };
  const report = await world.run();
  assertOutcome(report, "failed");
  assert.match(report.run.message ?? "", /the run took longer than it may: its time limit is 2 h/);
  assert.deepEqual(world.ran, ["told"]);
  assert.deepEqual(
    world.notifications.map(({ event }) => event),
    ["run.started", "run.failed"],
  );
  assert.deepEqual(await world.leftBehind(), []);
});

test("a start hook that says 75 skips the run, and that is no success", async () => {
  const world = await RunWorld.make({
    sources: { content: {} },
    to: "nas",
    hooks: [
      { on: "start", command: "on battery?" },
      { on: "success", command: "ping" },
      { on: "always", command: "clean up" },
    ],
  });
  world.commands.set("on battery?", () => 75);
  assertOutcome(await world.run(), "skipped");
  assert.equal(world.store("nas").openings, 0);
  assert.deepEqual(world.ran, ["on battery?", "clean up"]);
  world.commands.set("on battery?", () => 1);
  assertOutcome(await world.run(), "failed");
  assert.equal(world.store("nas").openings, 0);
});

test("hooks of a source run around its capture, and may leave it out", async () => {
  const hooks = [
    { on: "start", command: "before" },
    { on: ["success", "failure"], command: "after" },
  ];
  const world = await RunWorld.make({ sources: { one: { hooks }, two: {} }, to: "nas" });
  assertOutcome(await world.run(), "ok");
  assert.deepEqual(world.ran, ["before", "after"]);
  world.commands.set("before", () => 75);
  const skipped = await world.run();
  assertOutcome(skipped, "ok");
  assert.equal(skipped.sources[0]?.outcome, "skipped");
  assert.equal((await world.snapshots("nas", "one")).length, 1);
  world.commands.set("before", () => 1);
  const failed = await world.run();
  assertOutcome(failed, "failed");
  assert.equal(failed.sources[1]?.outcome, "ok");
  assert.deepEqual(world.ran, ["before", "after", "before", "before", "after"]);
});

test("too little space is a warning, and none is a failure before anything is read", async () => {
  const world = await RunWorld.make(
    { sources: { content: {} }, to: "nas" },
    { nas: { "free-space": "10G" } },
  );
  world.free = () => 2 * 1024 ** 3;
  assertOutcome(await world.run(), "warning");
  assert.ok(world.said(/only 2\.00 GiB are free, and 10\.0 GiB may be needed/));
  world.free = () => 1024;
  assertOutcome(await world.run(), "failed");
  assert.equal(world.source("content").reads, 1);
});

test("a catalog that is full costs the history, and no backup", async () => {
  const world = await RunWorld.make({ sources: { content: {} }, to: "nas", keep: { last: 1 } });
  assertOutcome(await world.run(), "ok");
  world.catalog.isFull = true;
  const report = await world.run();
  assertOutcome(report, "warning");
  assert.match(report.run.message ?? "", /the catalog cannot be used: .*cannot be written/);
  assert.equal(report.sources[0]?.outcome, "ok");
  assert.equal((await world.snapshots("nas", "content")).length, 1);
  world.catalog.isFull = false;
  assert.deepEqual(await world.leftBehind(), []);
});

test("types say what a snapshot was compared with, and become full where there is nothing", async () => {
  const world = await RunWorld.make({ sources: { content: {} }, to: "nas" });
  const made: { id: string; parent: string | undefined; type: string | undefined }[] = [];
  for (const type of [
    "incremental",
    "incremental",
    "differential",
    "full",
    "incremental",
    "differential",
  ] as const) {
    await world.run({ type });
    const newest = (await world.snapshots("nas", "content")).at(-1)!;
    const tag = newest.tags?.find((text) => text.startsWith("type:"))?.slice(5);
    made.push({ id: newest.id, parent: newest.parent, type: tag });
  }
  const [first, second, third, full, fifth, sixth] = made;
  assert.deepEqual(
    made.map(({ type }) => type),
    ["full", "incremental", "differential", "full", "incremental", "differential"],
  );
  assert.deepEqual(
    [first, second, third, full, fifth, sixth].map((one) => one?.parent),
    [undefined, first?.id, first?.id, undefined, full?.id, full?.id],
  );
});

test("one plan runs once at a time", async () => {
  const world = await RunWorld.make({ sources: { content: {} }, to: "nas" });
  world.source("content").onRead = async () => {
    await assert.rejects(world.run(), { code: "run.busy", exitCode: 75 });
  };
  await world.run();
  world.source("content").onRead = () => undefined;
  assertOutcome(await world.run(), "ok");
});

test("names that are wrong are told before anything is done", async () => {
  const world = await RunWorld.make({
    sources: { content: {} },
    to: "nas",
    copies: [{ from: "nas", to: "far" }],
  });
  await assert.rejects(world.run({ plan: "shpo" }), {
    code: "plan.not-found",
    next: "there is shop",
  });
  await assert.rejects(world.run({ only: ["contents"] }), {
    code: "plan.not-found",
    next: "it has content",
  });
  await assert.rejects(world.run({ part: { copies: ["near"] } }), {
    code: "plan.not-found",
    next: "it has far",
  });
  assert.deepEqual([world.stages.length, world.store("nas").openings], [0, 0]);
});

test("the kit holds the configuration, what to do, and a bounded piece of the catalog", async () => {
  const world = await RunWorld.make({ sources: { content: {} }, to: "nas" });
  await world.run();
  for (let at = 0; at < 3_000; at++) {
    await world.catalog.saveRun({
      id: `old-${String(at).padStart(5, "0")}`,
      plan: "shop",
      host: "web1",
      trigger: "schedule",
      startedAtMs: at,
      endedAtMs: at + 1,
      outcome: "ok",
      message: "x".repeat(300),
      processId: 1,
    });
  }
  await world.run();
  const names = world.kit.map(({ name }) => name);
  assert.deepEqual(names, [
    "configuration/etc/comeback/comeback.yaml",
    "catalog.jsonl",
    "RECOVERY.md",
  ]);
  const [, catalog, recovery] = world.kit;
  assert.ok(catalog!.text.length <= 128 * 1024, `${catalog!.text.length}`);
  const runs = catalog!.text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { run?: { startedAtMs: number } });
  const times = runs.flatMap(({ run }) => (run === undefined ? [] : [run.startedAtMs]));
  assert.ok(times.length > 50);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  assert.match(recovery!.text, /recover --kit/);
});
