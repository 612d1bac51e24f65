import type { KeyInfo } from "@comeback/engine";
import { formatLocalTime } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";
import { renderTable } from "../terminal/table.ts";

/** restic's JSON of the keys. */
export function keyMessages(keys: readonly KeyInfo[]): Record<string, unknown>[] {
  return keys.map(({ id, isCurrent, username, hostname, created }) => ({
    current: isCurrent,
    id,
    userName: username,
    hostName: hostname,
    created: formatLocalTime(created),
  }));
}

/** The table of `comeback key list`, with restic's columns; a star marks the key in use. */
export function renderKeys(keys: readonly KeyInfo[]): string[] {
  const columns = [{ title: " ID" }, { title: "User" }, { title: "Host" }, { title: "Created" }];
  const rows = keys.map(({ id, isCurrent, username, hostname, created }) => [
    `${isCurrent ? "*" : " "}${id.slice(0, 8)}`,
    printableText(username),
    printableText(hostname),
    formatLocalTime(created),
  ]);
  return renderTable(columns, rows, `${keys.length} ${keys.length === 1 ? "key" : "keys"}`);
}
