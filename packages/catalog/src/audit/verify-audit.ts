import {
  type AuditEntry,
  type AuditHead,
  CATALOG_AUDIT_PAGE,
  type CatalogStore,
} from "@comeback/core";
import { auditHash, FIRST_PREVIOUS_HASH } from "./audit-hash.ts";

export interface AuditBreak {
  /** The first entry that does not hold, or that should be there. */
  readonly sequence: number;
  /** In words: "its content is not what was hashed". */
  readonly problem: string;
}

export interface AuditReport {
  /** Entries that hold, from the first on without a gap. */
  readonly entries: number;
  /** The last of them. Noted where nobody reaches it, it shows later that none was taken away. */
  readonly head: AuditHead;
  readonly broken?: AuditBreak;
}

export interface VerifyAuditOptions {
  /** A head that was noted elsewhere: its entry must be there, and be the same. */
  readonly knownHead?: AuditHead;
  readonly signal?: AbortSignal;
}

/**
 * Reads the whole chain, and finds the first entry that was changed, removed, inserted or moved, and
 * entries that are missing at the end: there, against the note that is kept beside the entries, and
 * against `knownHead`. Entries may be appended meanwhile.
 */
export async function verifyAudit(
  store: Pick<CatalogStore, "listAudit" | "readAuditHead">,
  options: VerifyAuditOptions = {},
): Promise<AuditReport> {
  const noted = await store.readAuditHead();
  const heads = [{ ...noted, whose: "the note beside the entries" }];
  const { knownHead } = options;
  if (knownHead !== undefined) heads.push({ ...knownHead, whose: "the head that was given" });
  let head: AuditHead = { sequence: 0, hash: FIRST_PREVIOUS_HASH };
  const report = (broken?: AuditBreak): AuditReport => ({
    entries: head.sequence,
    head,
    ...(broken === undefined ? {} : { broken }),
  });
  for (;;) {
    options.signal?.throwIfAborted();
    const page = await store.listAudit(head.sequence, CATALOG_AUDIT_PAGE);
    for (const entry of page) {
      const problem = problemOf(entry, head);
      if (problem !== undefined) return report(problem);
      const differs = heads.find(
        ({ sequence, hash }) => sequence === entry.sequence && hash !== entry.hash,
      );
      if (differs !== undefined) {
        const why = `it is not the one that ${differs.whose} names`;
        return report({ sequence: entry.sequence, problem: why });
      }
      head = { sequence: entry.sequence, hash: entry.hash };
    }
    if (page.length < CATALOG_AUDIT_PAGE) break;
  }
  for (const { sequence, whose } of heads) {
    if (sequence <= head.sequence) continue;
    const missing = `entries up to ${sequence}, which ${whose} names, are missing`;
    return report({ sequence: head.sequence + 1, problem: missing });
  }
  const { sequence } = await store.readAuditHead();
  if (sequence < head.sequence) {
    const added =
      "it and those behind it were not written by Comeback: the note does not know them";
    return report({ sequence: sequence + 1, problem: added });
  }
  return report();
}

function problemOf(entry: AuditEntry, before: AuditHead): AuditBreak | undefined {
  const sequence = before.sequence + 1;
  if (entry.sequence !== sequence) {
    const last = entry.sequence - 1;
    const which = last > sequence ? `entries ${sequence} to ${last} are` : `it is`;
    return { sequence, problem: `${which} missing` };
  }
  if (auditHash(entry) !== entry.hash) {
    return { sequence, problem: "its content is not what was hashed: it was changed" };
  }
  if (entry.previousHash !== before.hash) {
    const why = "it does not follow the one before: one was removed, inserted, moved or replaced";
    return { sequence, problem: why };
  }
  return undefined;
}
