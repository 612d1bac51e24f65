import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { JournalValue, PlannedSnapshot, Snapshotter } from "@comeback/core";

/** A file to freeze and a way to freeze it, made for one test and disposed after it. */
export interface SnapshotterFixture extends AsyncDisposable {
  readonly snapshotter: Snapshotter;
  /** What a snapshot is asked for. */
  readonly paths: readonly string[];
  /** A file at or below the first path. */
  readonly file: string;
  /** Overwrites the file in the live state. */
  change(content: string): Promise<void>;
  /** Everything that snapshots have left, named. */
  leftovers(): Promise<readonly string[]>;
  /** The next `create` fails once it has made something. */
  breakCreate(): Promise<void>;
  /** The next `verify` finds the view broken; not given where nothing can break it. */
  breakView?(): Promise<void>;
  /** From now on nothing can be frozen at all: a program is missing, say. */
  breakAll(): Promise<void>;
}

export type MakeSnapshotter = () => Promise<SnapshotterFixture>;

const { signal } = new AbortController();

/** What a journal gives back after a crash. */
function throughJournal(token: JournalValue): JournalValue {
  return JSON.parse(JSON.stringify(token)) as JournalValue;
}

let runs = 0;

function plan({ snapshotter, paths }: SnapshotterFixture): Promise<PlannedSnapshot> {
  return snapshotter.plan({ paths, runId: `run-${++runs}` }, signal);
}

/** Holds an adapter to every clause of the contract of `Snapshotter` in core. */
export function snapshotterConformance(name: string, make: MakeSnapshotter): void {
  describe(`snapshotter contract: ${name}`, () => {
    testPlan(make);
    testView(make);
    testRemove(make);
    testFailures(make);
  });
}

function testPlan(make: MakeSnapshotter): void {
  test("probe and plan touch nothing, and the plan says what is about to be made", async () => {
    await using fixture = await make();
    const { snapshotter, paths } = fixture;
    for (const { state, message } of await snapshotter.probe({ paths, signal })) {
      assert.notEqual(state, "failed", message);
    }
    const planned = await plan(fixture);
    assert.notEqual(planned.description, "");
    assert.deepEqual(throughJournal(planned.token), planned.token);
    assert.deepEqual(await fixture.leftovers(), []);
  });

  test("a probe says what stands in the way, and what to do", async () => {
    await using fixture = await make();
    await fixture.breakAll();
    const findings = await fixture.snapshotter.probe({ paths: fixture.paths, signal });
    const failed = findings.filter(({ state }) => state === "failed");
    assert.ok(failed.length > 0);
    for (const { next } of failed) assert.ok(next);
  });
}

function testView(make: MakeSnapshotter): void {
  test("the view shows the moment, and the live state may go on", async () => {
    await using fixture = await make();
    await fixture.change("before");
    const planned = await plan(fixture);
    const view = await fixture.snapshotter.create(planned, signal);
    await fixture.change("after");
    assert.equal(readFileSync(view.pathOf(fixture.file), "utf8"), "before");
    for (const path of fixture.paths) assert.notEqual(view.pathOf(path), path);
    assert.throws(() => view.pathOf("/nowhere/near"), "a path that was not asked for");
    await fixture.snapshotter.verify(planned, signal);
    await fixture.snapshotter.remove(throughJournal(planned.token), signal);
    assert.deepEqual(await fixture.leftovers(), []);
    assert.equal(readFileSync(fixture.file, "utf8"), "after", "the live state is untouched");
  });

  test("a view that did not stay whole is found out, and can still be removed", async () => {
    await using fixture = await make();
    if (fixture.breakView === undefined) return;
    const planned = await plan(fixture);
    await fixture.snapshotter.create(planned, signal);
    await fixture.breakView();
    await assert.rejects(fixture.snapshotter.verify(planned, signal));
    await fixture.snapshotter.remove(planned.token, signal);
    assert.deepEqual(await fixture.leftovers(), []);
  });

  test("two runs do not get into each other's way", async () => {
    await using fixture = await make();
    const { snapshotter } = fixture;
    await fixture.change("first");
    const first = await plan(fixture);
    const firstView = await snapshotter.create(first, signal);
    await fixture.change("second");
    const second = await plan(fixture);
    const secondView = await snapshotter.create(second, signal);
    await snapshotter.remove(second.token, signal);
    assert.equal(readFileSync(firstView.pathOf(fixture.file), "utf8"), "first");
    assert.throws(() => readFileSync(secondView.pathOf(fixture.file)));
    await snapshotter.remove(first.token, signal);
    assert.deepEqual(await fixture.leftovers(), []);
  });
}

function testRemove(make: MakeSnapshotter): void {
  test("removing is idempotent, and what never came to be is removed already", async () => {
    await using fixture = await make();
    const { snapshotter } = fixture;
    const never = await plan(fixture);
    await snapshotter.remove(throughJournal(never.token), signal);
    const planned = await plan(fixture);
    await snapshotter.create(planned, signal);
    for (let i = 0; i < 3; i++) {
      await snapshotter.remove(throughJournal(planned.token), signal);
      assert.deepEqual(await fixture.leftovers(), []);
    }
  });
}

function testFailures(make: MakeSnapshotter): void {
  test("what a create leaves that fails halfway is removed by its token", async () => {
    await using fixture = await make();
    const { snapshotter } = fixture;
    const planned = await plan(fixture);
    await fixture.breakCreate();
    await assert.rejects(snapshotter.create(planned, signal));
    await snapshotter.remove(throughJournal(planned.token), signal);
    assert.deepEqual(await fixture.leftovers(), []);
  });

  test("an aborted call rejects with the reason, and leaves nothing that cannot be removed", async () => {
    await using fixture = await make();
    const { snapshotter, paths } = fixture;
    const reason = new Error("enough");
    const aborted = AbortSignal.abort(reason);
    const isReason = (error: unknown): boolean => error === reason;
    await assert.rejects(snapshotter.probe({ paths, signal: aborted }), isReason);
    const planned = await plan(fixture);
    await assert.rejects(snapshotter.create(planned, aborted), isReason);
    await snapshotter.remove(planned.token, signal);
    await snapshotter.create(planned, signal);
    await assert.rejects(snapshotter.verify(planned, aborted), isReason);
    await assert.rejects(snapshotter.remove(planned.token, aborted), isReason);
    await snapshotter.remove(planned.token, signal);
    assert.deepEqual(await fixture.leftovers(), []);
  });
}
