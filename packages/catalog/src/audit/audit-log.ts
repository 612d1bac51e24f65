import { type AuditEntry, type AuditHead, ComebackError, type NewAuditEntry } from "@comeback/core";
import type { CatalogDatabase } from "../catalog-database.ts";
import { storableText, toRow } from "../rows.ts";
import { AUDIT_COLUMNS } from "../tables.ts";
import { auditHash, FIRST_PREVIOUS_HASH } from "./audit-hash.ts";
import { canonicalJson } from "./canonical-json.ts";

/** There is one row of `auditHead`. */
const HEAD_ID = 1;

export async function appendAudit(
  database: CatalogDatabase,
  entry: NewAuditEntry,
): Promise<AuditEntry> {
  return await database.write(async (tx) => {
    // The update holds the row until we commit: whoever else appends waits for our hash.
    const head = await tx
      .updateTable("auditHead")
      .set((eb) => ({ sequence: eb("sequence", "+", 1) }))
      .where("id", "=", HEAD_ID)
      .returning(["sequence", "hash"])
      .executeTakeFirst();
    if (head === undefined) throw headMissing(database.place);
    const unhashed = {
      sequence: head.sequence,
      atMs: Math.round(entry.atMs),
      // What is hashed must be what can be read again.
      actor: storableText(entry.actor),
      action: storableText(entry.action),
      subject: storableText(entry.subject),
      details: JSON.parse(canonicalJson(entry.details)) as AuditEntry["details"],
      previousHash: head.hash,
    };
    const made = { ...unhashed, hash: auditHash(unhashed) };
    await tx
      .insertInto("auditEntries")
      .values({ ...toRow(made, AUDIT_COLUMNS), details: canonicalJson(made.details) })
      .execute();
    await tx.updateTable("auditHead").set({ hash: made.hash }).where("id", "=", HEAD_ID).execute();
    return made;
  });
}

export async function listAudit(
  database: CatalogDatabase,
  afterSequence: number,
  limit: number,
): Promise<AuditEntry[]> {
  const rows = await database.read((db) =>
    db
      .selectFrom("auditEntries")
      .selectAll()
      .where("sequence", ">", afterSequence)
      .orderBy("sequence")
      .limit(limit)
      .execute(),
  );
  return rows.map((row) => ({ ...row, details: detailsOf(row.details) }));
}

/** Somebody may have written something else by hand: the chain is then broken, and no more. */
function detailsOf(json: string): AuditEntry["details"] {
  try {
    return JSON.parse(json) as AuditEntry["details"];
  } catch {
    return { unreadable: json };
  }
}

export async function readAuditHead(database: CatalogDatabase): Promise<AuditHead> {
  const row = await database.read((db) =>
    db
      .selectFrom("auditHead")
      .select(["sequence", "hash"])
      .where("id", "=", HEAD_ID)
      .executeTakeFirst(),
  );
  return row ?? { sequence: 0, hash: FIRST_PREVIOUS_HASH };
}

function headMissing(place: string): ComebackError {
  return new ComebackError("audit.broken", "the audit log cannot be continued", {
    why: `the note of its end is missing from the catalog ${place}: somebody has changed it by hand`,
    next: "run `comeback audit verify` to see what still holds",
  });
}
