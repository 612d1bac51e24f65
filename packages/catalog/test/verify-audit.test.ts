import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { auditHash, type AuditReport, verifyAudit } from "@comeback/catalog";
import type { AuditEntry, AuditHead, CatalogStore, NewAuditEntry } from "@comeback/core";
import { TemporaryCatalogs } from "./temporary-catalog.ts";

const ENTRIES = 1_205;

function entry(number: number): NewAuditEntry {
  return {
    atMs: Date.UTC(2026, 10, 28) + number,
    actor: "root@web1",
    action: "retention.remove",
    subject: `snapshot ${number}`,
    details: { destination: "nas", number, float: 0.1, isHeld: false },
  };
}

/** A catalog with entries in its audit log, and a hand that reaches past the store. */
async function makeLog(count: number): Promise<{
  readonly catalogs: TemporaryCatalogs;
  readonly store: CatalogStore;
  tamper(sql: string): void;
}> {
  const catalogs = new TemporaryCatalogs();
  const store = await catalogs.open();
  for (let number = 1; number <= count; number++) await store.appendAudit(entry(number));
  const tamper = (sql: string): void => {
    using database = new DatabaseSync(catalogs.path);
    database.exec(sql);
  };
  return { catalogs, store, tamper };
}

test("a whole chain verifies, over several pages; an empty one too", async () => {
  const { catalogs, store } = await makeLog(0);
  await using _ = catalogs;
  const zero = "0".repeat(64);
  assert.deepEqual(await verifyAudit(store), { entries: 0, head: { sequence: 0, hash: zero } });
  for (let number = 1; number <= ENTRIES; number++) await store.appendAudit(entry(number));
  const report = await verifyAudit(store);
  assert.deepEqual(report, { entries: ENTRIES, head: await store.readAuditHead() });
  assert.deepEqual(await verifyAudit(store, { knownHead: report.head }), report);
});

test("whatever is changed, removed, inserted, moved or cut off is found, at the first place", async () => {
  const damage: readonly (readonly [what: string, sql: string, sequence: number, says: RegExp])[] =
    [
      ["text", "update audit_entries set subject = 'x' where sequence = 3", 3, /changed/],
      ["time", "update audit_entries set at_ms = at_ms + 1 where sequence = 1", 1, /changed/],
      ["details", "update audit_entries set details = '{}' where sequence = 5", 5, /changed/],
      ["no JSON", "update audit_entries set details = '{' where sequence = 5", 5, /changed/],
      ["hash", "update audit_entries set hash = previous_hash where sequence = 2", 2, /changed/],
      ["first removed", "delete from audit_entries where sequence = 1", 1, /missing/],
      [
        "some removed",
        "delete from audit_entries where sequence in (3, 4)",
        3,
        /3 to 4 are missing/,
      ],
      ["end cut off", "delete from audit_entries where sequence > 4", 5, /up to 6.*missing/],
      ["all removed", "delete from audit_entries", 1, /up to 6.*missing/],
      [
        "end cut off, and the note moved back",
        `delete from audit_entries where sequence > 4;
       update audit_head set sequence = 4`,
        4,
        /note/,
      ],
      [
        "two changed places",
        `update audit_entries set sequence = 100 where sequence = 3;
       update audit_entries set sequence = 3 where sequence = 4;
       update audit_entries set sequence = 4 where sequence = 100`,
        3,
        /changed/,
      ],
      ["the note is gone", "delete from audit_head", 1, /not written by Comeback/],
    ];
  for (const [what, sql, sequence, says] of damage) {
    const { catalogs, store, tamper } = await makeLog(6);
    await using _ = catalogs;
    tamper(sql);
    const { broken } = await verifyAudit(store);
    assert.equal(broken?.sequence, sequence, `${what}: ${broken?.problem}`);
    assert.match(broken?.problem ?? "", says, what);
  }
});

test("one that is replaced with a right hash breaks at the next", async () => {
  const { catalogs, store, tamper } = await makeLog(4);
  await using _ = catalogs;
  const [, second] = await store.listAudit(0, 9);
  const forged = auditHash({ ...second!, subject: "another" });
  const set = `subject = 'another', hash = '${forged}'`;
  tamper(`update audit_entries set ${set} where sequence = 2`);
  const { broken, entries } = await verifyAudit(store);
  assert.equal(broken?.sequence, 3);
  assert.match(broken?.problem ?? "", /does not follow/);
  assert.equal(entries, 2);
});

test("an appended forgery, which the note does not know", async () => {
  const { catalogs, store, tamper } = await makeLog(2);
  await using _ = catalogs;
  const { sequence, hash } = await store.readAuditHead();
  const unhashed = { ...entry(3), sequence: sequence + 1, previousHash: hash };
  const forged: AuditEntry = { ...unhashed, hash: auditHash(unhashed) };
  const values = [forged.sequence, forged.atMs, forged.actor, forged.action, forged.subject];
  const details = JSON.stringify(forged.details);
  const all = [...values, details, forged.previousHash, forged.hash].map((value) => `'${value}'`);
  tamper(`insert into audit_entries values (${all.join(", ")})`);
  const { broken } = await verifyAudit(store);
  assert.equal(broken?.sequence, 3);
  assert.match(broken?.problem ?? "", /not written by Comeback/);
});

test("a chain that was made anew as a whole is found against a head that was noted elsewhere", async () => {
  const first = await makeLog(3);
  await using _a = first.catalogs;
  const { head } = await verifyAudit(first.store);
  const second = await makeLog(2);
  await using _b = second.catalogs;
  const verify = (knownHead: AuditHead): Promise<AuditReport> =>
    verifyAudit(second.store, { knownHead });
  assert.equal((await verifyAudit(second.store)).broken, undefined, "not to be seen by itself");
  assert.match(
    (await verify(head)).broken?.problem ?? "",
    /up to 3, which the head that was given/,
  );
  await second.store.appendAudit({ ...entry(3), actor: "mallory" });
  assert.match((await verify(head)).broken?.problem ?? "", /the head that was given names/);
});

test("entries that are appended while it reads are no finding", async () => {
  const { catalogs, store } = await makeLog(3);
  await using _ = catalogs;
  const busy = {
    readAuditHead: () => store.readAuditHead(),
    listAudit: async (after: number, limit: number) => {
      await store.appendAudit(entry(99));
      return store.listAudit(after, limit);
    },
  };
  const report = await verifyAudit(busy);
  assert.equal(report.broken, undefined);
  assert.equal(report.entries, 4);
});
