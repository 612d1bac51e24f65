import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogRecord, RunRecord, StageRecord } from "@comeback/core";
import { HOUR_MS, makeRun, type MakeCatalog, START_MS } from "./fixture.ts";

export function testRuns(make: MakeCatalog): void {
  test("a run comes back as it was saved, and the last save counts, also for what it leaves out", async () => {
    await using fixture = await make();
    const { store } = fixture;
    const run: RunRecord = {
      id: "20261128-020000-4f2a",
      plan: "shop",
      host: "web1",
      trigger: "catch-up",
      backupType: "differential",
      scheduledForMs: START_MS - HOUR_MS,
      startedAtMs: START_MS,
      endedAtMs: START_MS + 5,
      outcome: "warning",
      message: "2 files – could not be read: \u{1f600} 'quotes' \"and\" \\slashes\\",
      processId: 1,
    };
    await store.saveRun(run);
    assert.deepEqual(await store.findRun(run.id), run);
    const less = makeRun({ id: run.id });
    await store.saveRun(less);
    await store.saveRun(less);
    assert.deepEqual(await store.findRun(run.id), less);
    assert.equal(await store.findRun("20261128"), undefined);
    assert.deepEqual(await store.listRuns({ limit: 10 }), [less]);
  });

  test("text that a database refuses is kept but for the characters at fault", async () => {
    await using fixture = await make();
    const { store } = fixture;
    const run = makeRun({ id: "a", message: "a\0b\ud800c\u{1f600}" });
    await store.saveRun(run);
    assert.equal((await store.findRun("a"))?.message, "a\ufffdb\ufffdc\u{1f600}");
    await store.saveNote("note", "a\0b");
    assert.equal(await store.readNote("note"), "a\ufffdb");
  });

  test("runs are listed newest first, by plan, outcome, time and the beginning of their id", async () => {
    await using fixture = await make();
    const { store } = fixture;
    const runs = ["20261128-a", "20261128-b", "20261129-a", "20261130-a", "20261130-ab"].map(
      (id, i): RunRecord =>
        makeRun({
          id,
          plan: i % 2 === 0 ? "shop" : "mail",
          startedAtMs: START_MS + Math.floor(i / 2) * HOUR_MS,
          ...(i === 3 ? {} : { endedAtMs: START_MS + 9 * HOUR_MS, outcome: "ok" }),
        }),
    );
    for (const run of [runs[3]!, runs[0]!, runs[4]!, runs[2]!, runs[1]!]) await store.saveRun(run);
    const list = async (filter: Partial<Parameters<typeof store.listRuns>[0]>): Promise<string[]> =>
      (await store.listRuns({ limit: 10, ...filter })).map(({ id }) => id);
    const all = runs.map(({ id }) => id).toReversed();
    assert.deepEqual(await list({}), all);
    assert.deepEqual(await list({ limit: 2 }), all.slice(0, 2));
    assert.deepEqual(await list({ plan: "mail" }), ["20261130-a", "20261128-b"]);
    assert.deepEqual(await list({ plan: "mail", outcome: "ok" }), ["20261128-b"]);
    assert.deepEqual(await list({ sinceMs: START_MS + HOUR_MS }), all.slice(0, 3));
    assert.deepEqual(await list({ idPrefix: "20261128" }), ["20261128-b", "20261128-a"]);
    assert.deepEqual(await list({ idPrefix: "20261130-a" }), ["20261130-ab", "20261130-a"]);
    assert.deepEqual(await list({ idPrefix: "%" }), []);
    assert.deepEqual(await list({ idPrefix: "" }), all);
    assert.deepEqual(
      (await store.listOpenRuns()).map(({ id }) => id),
      ["20261130-a"],
    );
  });
}

export function testStagesAndLog(make: MakeCatalog): void {
  test("stages and log lines may come before their run, and stand in their order", async () => {
    await using fixture = await make();
    const { store } = fixture;
    const stage = (sequence: number, more: Partial<StageRecord> = {}): StageRecord => ({
      runId: "a",
      sequence,
      stage: "capture",
      startedAtMs: START_MS,
      attempts: 1,
      ...more,
    });
    const failed = { subject: "db", outcome: "failed", errorCode: "command.failed" } as const;
    for (const one of [stage(2), stage(0), stage(10), stage(2, failed)]) await store.saveStage(one);
    await store.saveStage({ ...stage(1), runId: "b" });
    assert.deepEqual(await store.listStages("a"), [stage(0), stage(2, failed), stage(10)]);

    const line = (sequence: number, text = `line ${sequence}`): LogRecord => ({
      runId: "a",
      sequence,
      atMs: START_MS + sequence,
      level: "info",
      text,
    });
    const more = { ...line(2), stage: "copy", subject: "nas → cloud", level: "error" } as const;
    await store.appendLog([line(0), line(1)]);
    await store.appendLog([more]);
    await store.appendLog([]);
    // Whoever did not learn whether it was written writes once more.
    await store.appendLog([line(1, "once more"), line(3)]);
    assert.deepEqual(await store.listLog("a", -1, 100), [line(0), line(1), more, line(3)]);
    assert.deepEqual(await store.listLog("a", 0, 2), [line(1), more]);
    assert.deepEqual(await store.listLog("b", -1, 2), []);
    const many = Array.from({ length: 2_500 }, (_, i) => line(i + 4));
    await store.appendLog(many);
    assert.deepEqual(await store.listLog("a", 3, 10_000), many);
  });

  test("what one has written the other sees, at once", async () => {
    await using fixture = await make();
    await using other = await fixture.another();
    for (let i = 0; i < 5; i++) {
      const run = makeRun({ id: `run-${i}`, startedAtMs: START_MS + i });
      await (i % 2 === 0 ? fixture.store : other).saveRun(run);
      const seen = await (i % 2 === 0 ? other : fixture.store).listRuns({ limit: 1 });
      assert.deepEqual(seen, [run]);
    }
  });
}
