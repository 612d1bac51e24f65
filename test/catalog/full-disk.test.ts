import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { openCatalog, verifyAudit } from "@comeback/catalog";
import { isComebackError } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { makeRun } from "@comeback/testkit";
import { MemoryDisk } from "../drivers/mounts.ts";
import { scratchFolder } from "../drivers/scratch.ts";

const MiB = 1024 * 1024;
const LINES_MAX = 100_000;
const folder = scratchFolder("catalog-full");

test("a full disk: catalog.unusable, nothing is torn, all is readable, and on it goes", async () => {
  const disk = new MemoryDisk(join(folder, "disk"), 2 * MiB);
  const location = join(disk.folder, "catalog.sqlite");
  const { signal } = new AbortController();
  await using store = await openCatalog(location, { host: "web1", clock: systemClock, signal });
  await store.saveRun(makeRun({ id: "before", outcome: "ok", endedAtMs: 1 }));
  let written = 0;
  const fill = async (): Promise<void> => {
    for (; written < LINES_MAX; written++) {
      const text = "x".repeat(5_000);
      const line = { runId: "before", sequence: written, atMs: 1, level: "info", text } as const;
      await store.appendLog([line]);
      const details = { line: written };
      await store.appendAudit({ atMs: 1, actor: "a", action: "b", subject: "c", details });
    }
  };
  const error = await fill().then(
    () => assert.fail("the disk did not fill up"),
    (reason: unknown) => reason,
  );
  assert.ok(isComebackError(error, "catalog.unusable"), String(error));
  assert.match(error.message, /cannot grow/);
  assert.ok(written > 10, `${written} lines`);

  assert.equal((await store.planStates())[0]?.lastGoodRun?.id, "before");
  const lines = await store.listLog("before", -1, LINES_MAX);
  assert.ok(lines.length === written || lines.length === written + 1);
  const report = await verifyAudit(store);
  assert.equal(report.broken, undefined);
  assert.equal(report.entries, written);
  {
    await using looker = await openCatalog(location, {
      host: "web1",
      clock: systemClock,
      signal,
      create: false,
    });
    assert.equal((await looker.listRuns({ limit: 9 })).length, 1);
  }

  disk.resize(8 * MiB);
  await store.saveRun(makeRun({ id: "after" }));
  await store.appendAudit({ atMs: 1, actor: "a", action: "b", subject: "c", details: {} });
  assert.equal((await verifyAudit(store)).entries, written + 1);
});
