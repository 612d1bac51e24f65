import type { SnapshotRecord, SourceItem } from "@comeback/core";
import type { Row, Tables } from "./tables.ts";

/**
 * Text that every database keeps as it is: PostgreSQL refuses NUL, and a half of a surrogate pair
 * has no UTF-8. What programs print may hold both.
 */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\ufffd");
}

function storable(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === "string") return storableText(value);
  // A fraction of a millisecond or byte means nothing, and PostgreSQL refuses it.
  return typeof value === "number" ? Math.round(value) : value;
}

/** A record's columns, and null for those that are missing: a later save takes them away again. */
export function toRow<T extends object, K extends keyof T>(
  record: T,
  columns: readonly K[],
): Row<Pick<T, K>> {
  return Object.fromEntries(columns.map((name) => [name, storable(record[name])])) as Row<
    Pick<T, K>
  >;
}

/** The record that a row was: without what is null. */
export function fromRow<T>(row: object): T {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as T;
}

export function snapshotOf(row: Omit<Tables["snapshots"], "host">): SnapshotRecord {
  const items = JSON.parse(row.items) as readonly SourceItem[];
  return { ...fromRow<Omit<SnapshotRecord, "items">>(row), items };
}
