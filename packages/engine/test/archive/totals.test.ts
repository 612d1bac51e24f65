import assert from "node:assert/strict";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SimulatedClock } from "@comeback/testkit";
import { ProgressMeter } from "../../src/archive/progress-meter.ts";
import { countTotals } from "../../src/archive/totals.ts";
import { folderSource } from "./folder-source.ts";

function folders(count: number, filesEach: number): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "comeback-totals-"));
  for (let folder = 0; folder < count; folder++) {
    mkdirSync(join(path, `${folder}`));
    for (let file = 0; file < filesEach; file++) {
      writeFileSync(join(path, `${folder}`, `${file}`), "x".repeat(file));
    }
  }
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

const { signal } = new AbortController();

async function untilKnown(meter: ProgressMeter): Promise<void> {
  while (!meter.live.totalsKnown) await new Promise(setImmediate);
}

test("totals are counted after their time, a folder at a time", async () => {
  using tree = folders(5, 4);
  const meter = new ProgressMeter({ totalsAfterMs: 700 });
  const clock = new SimulatedClock();
  /** What was counted when each folder had just been listed: all that came before it, no more. */
  const countedBefore: number[] = [];
  const source = folderSource(tree.path, () => countedBefore.push(meter.live.filesTotal));
  const counting = countTotals(source, meter, signal, clock);
  await clock.advance(699);
  assert.equal(countedBefore.length, 0);
  await clock.advance(1);
  await untilKnown(meter);
  await counting.stop();
  assert.equal(meter.live.filesTotal, 20);
  assert.equal(meter.live.bytesTotal, 5 * (1 + 2 + 3));
  assert.deepEqual(countedBefore, [0, 0, 4, 8, 12, 16]);
});

test("totals nobody wants are not counted", async () => {
  using tree = folders(1, 1);
  const meter = new ProgressMeter();
  const clock = new SimulatedClock();
  const counting = countTotals(folderSource(tree.path), meter, signal, clock);
  assert.equal(clock.sleeping, 0);
  await counting.stop();
  assert.equal(meter.live.totalsKnown, false);
});
