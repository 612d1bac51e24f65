import { createHash } from "node:crypto";
import type { AuditEntry } from "@comeback/core";
import { canonicalJson } from "./canonical-json.ts";

/** What the first entry has as its predecessor's. */
export const FIRST_PREVIOUS_HASH: string = "0".repeat(64);

/** SHA-256, in hex, of all the rest of an entry. */
export function auditHash(entry: Omit<AuditEntry, "hash">): string {
  const { sequence, atMs, actor, action, subject, details, previousHash } = entry;
  const hashed = { sequence, atMs, actor, action, subject, details, previousHash };
  return createHash("sha256").update(canonicalJson(hashed)).digest("hex");
}
