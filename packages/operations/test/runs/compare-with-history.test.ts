import assert from "node:assert/strict";
import { test } from "node:test";
import { expectation, type Expectation } from "../../src/configuration/schema/source.ts";
import {
  type CapturedAmount,
  compareWithHistory,
  deviationsFrom,
  historyOf,
  type PastCapture,
} from "../../src/runs/compare-with-history.ts";

const DAY_MS = 24 * 3600 * 1000;
const GiB = 1024 ** 3;

function captured(given: Partial<CapturedAmount> = {}): CapturedAmount {
  return {
    atMs: 10 * DAY_MS,
    backupType: "incremental",
    files: 100,
    sizeBytes: 1000,
    addedBytes: 10,
    items: [{ kind: "database", name: "shop" }],
    ...given,
  };
}

function expecting(given: object = {}): Expectation {
  return expectation.parse(given);
}

function kinds(now: CapturedAmount, before: CapturedAmount[], expect = expecting()): string[] {
  return compareWithHistory(now, before, expect).map(({ kind }) => kind);
}

test("the first capture has nothing to be compared with", () => {
  assert.deepEqual(kinds(captured({ files: 0, sizeBytes: 0, items: [] }), []), []);
});

test("what is as it was deviates in nothing", () => {
  assert.deepEqual(kinds(captured(), [captured(), captured()]), []);
});

test("a database that is gone fails, whatever came in its stead", () => {
  const now = captured({ items: [{ kind: "database", name: "other" }] });
  const [found] = compareWithHistory(now, [captured()], expecting());
  assert.deepEqual(found, {
    kind: "vanished",
    reaction: "fail",
    message: "database shop is not there any more",
  });
  assert.deepEqual(kinds(now, [captured()], expecting({ vanished: "ignore" })), []);
});

test("a fall beyond the share warns, and one on it does not", () => {
  assert.deepEqual(kinds(captured({ files: 50 }), [captured()]), []);
  assert.deepEqual(kinds(captured({ files: 49 }), [captured()]), ["shrink"]);
  assert.deepEqual(kinds(captured({ files: 0, sizeBytes: 0 }), [captured()]), ["shrink", "shrink"]);
  const expect = expecting({ shrink: { share: "5%", reaction: "fail" } });
  const [found] = compareWithHistory(captured({ sizeBytes: 900 }), [captured()], expect);
  assert.equal(found?.reaction, "fail");
});

test("far more new data than ever is told once it is known what is usual", () => {
  const now = captured({ addedBytes: 50 * GiB, sizeBytes: 100 * GiB });
  const before = [captured({ addedBytes: GiB }), captured(), captured()];
  assert.deepEqual(kinds(now, before.slice(0, 2)), []);
  assert.deepEqual(kinds(now, before), ["surge"]);
  assert.deepEqual(kinds(captured({ addedBytes: 9 * GiB, sizeBytes: 100 * GiB }), before), []);
});

test("the first backup is no measure of what is usual", () => {
  const first = captured({ addedBytes: 100 * GiB });
  const now = captured({ addedBytes: 50 * GiB });
  assert.deepEqual(kinds(now, [captured(), captured(), first]), ["surge"]);
});

test("nothing new for too long is told, counted from the last change", () => {
  const expect = expecting({ stale: { after: "7d" } });
  const quiet = (day: number): CapturedAmount => captured({ atMs: day * DAY_MS, addedBytes: 0 });
  const change = captured({ atMs: 2 * DAY_MS });
  assert.deepEqual(kinds(quiet(9), [quiet(8), change], expect), []);
  assert.deepEqual(kinds(quiet(10), [quiet(8), change], expect), ["stale"]);
  assert.deepEqual(kinds(captured({ atMs: 10 * DAY_MS }), [quiet(8), change], expect), []);
});

function past(outcome: PastCapture["outcome"], given: Partial<CapturedAmount> = {}): PastCapture {
  return { ...captured(given), outcome };
}

function standing(now: CapturedAmount, earlier: readonly PastCapture[]): string[] {
  const expect = expecting();
  return deviationsFrom(now, historyOf(earlier, expect), expect).map(({ kind }) => kind);
}

test("the baseline is the newest that was complete, however many warnings came after it", () => {
  const lost = past("warning", { items: [] });
  const earlier = [...Array.from({ length: 500 }, () => lost), past("ok"), past("ok")];
  assert.deepEqual(standing(captured({ items: [] }), earlier), ["vanished"]);
  assert.deepEqual(standing(captured(), earlier), []);
});

test("where a file can never be read, what differs in nothing is a baseline", () => {
  const earlier = [past("warning"), past("warning"), past("warning")];
  assert.equal(historyOf(earlier, expecting()).before.length, 3);
  assert.deepEqual(standing(captured({ items: [] }), earlier), ["vanished"]);
  const lost = past("warning", { items: [] });
  assert.deepEqual(standing(captured({ items: [] }), [lost, lost, ...earlier]), ["vanished"]);
});

test("what failed is compared with by nobody", () => {
  const earlier = [past("failed", { items: [] }), past("ok")];
  assert.deepEqual(standing(captured({ items: [] }), earlier), ["vanished"]);
  assert.deepEqual(historyOf([past("failed")], expecting()).before, []);
});

test("a surge stands until somebody accepts it: the run after it has little that is new", () => {
  const usual = [past("ok"), past("ok"), past("ok")];
  const surge = past("warning", { addedBytes: 40 * GiB, atMs: Date.UTC(2026, 1, 3) });
  const after = [past("warning"), past("warning"), surge, ...usual];
  assert.deepEqual(standing(captured({ addedBytes: 40 * GiB }), usual), ["surge"]);
  assert.deepEqual(standing(captured(), after), ["surge"]);
  const [found] = deviationsFrom(captured(), historyOf(after, expecting()), expecting());
  assert.match(found?.message ?? "", /^on 2026-02-03 there was far more new data than ever/);
  assert.deepEqual(standing(captured(), [past("ok"), ...after]), []);
});
