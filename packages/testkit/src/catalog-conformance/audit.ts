import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditEntry, NewAuditEntry } from "@comeback/core";
import { type MakeCatalog, START_MS } from "./fixture.ts";

const FIRST_PREVIOUS_HASH = "0".repeat(64);

function entry(subject: string): NewAuditEntry {
  const details = { zulu: 1.5, alpha: "ä", is: true };
  return { atMs: START_MS, actor: "root@web1", action: "run.start", subject, details };
}

/** Every entry follows the one before, without a gap. */
function assertChained(entries: readonly AuditEntry[]): void {
  let before = { sequence: 0, hash: FIRST_PREVIOUS_HASH };
  for (const { sequence, previousHash, hash } of entries) {
    assert.equal(sequence, before.sequence + 1);
    assert.equal(previousHash, before.hash);
    assert.match(hash, /^[0-9a-f]{64}$/);
    before = { sequence, hash };
  }
}

export function testAudit(make: MakeCatalog): void {
  test("audit entries are chained, read as they were appended, and the head is noted", async () => {
    await using fixture = await make();
    const { store } = fixture;
    assert.deepEqual(await store.readAuditHead(), { sequence: 0, hash: FIRST_PREVIOUS_HASH });
    const made: AuditEntry[] = [];
    for (const subject of ["shop", "a\0b\ud800", "shop"]) {
      made.push(await store.appendAudit(entry(subject)));
    }
    assertChained(made);
    assert.deepEqual(await store.listAudit(0, 10), made);
    assert.deepEqual(await store.listAudit(1, 1), [made[1]]);
    const { sequence, hash } = made[2]!;
    assert.deepEqual(await store.readAuditHead(), { sequence, hash });
    assert.notEqual(made[0]?.hash, hash, "equal entries have different hashes");
    assert.deepEqual(made[0]?.details, entry("").details);
  });

  test("entries that several append at once are one chain", async () => {
    await using fixture = await make();
    await using second = await fixture.another();
    await using third = await fixture.another();
    const stores = [fixture.store, second, third];
    const subjects = Array.from({ length: 60 }, (_, i) => `subject ${i}`);
    await Promise.all(subjects.map((subject, i) => stores[i % 3]!.appendAudit(entry(subject))));
    const entries = await fixture.store.listAudit(0, 1_000);
    assertChained(entries);
    const found = entries.map(({ subject }) => subject);
    assert.deepEqual(found.toSorted(), subjects.toSorted());
  });
}
