import { createHash } from "node:crypto";
import { type JournalValue, UNDO_MESSAGE_MAX_CHARS } from "@comeback/core";
import type { UndoStep } from "./undo-step.ts";

/** Who undid it: the run itself, its watchdog, or someone who found it left over. */
export type Undoer = "run" | "watchdog" | "later";

/** The first line of a journal. Times are milliseconds since the Unix epoch. */
export interface JournalHeader {
  readonly type: "run";
  readonly version: 1;
  readonly runId: string;
  readonly plan: string;
  readonly processId: number;
  readonly startedAtMs: number;
  /** What another process needs to undo in the run's place: the path of its configuration. */
  readonly settings: JournalValue;
}

export type JournalRecord =
  | JournalHeader
  /** Written before the thing is done. */
  | {
      readonly type: "step";
      readonly id: number;
      readonly step: UndoStep;
      readonly description: string;
      readonly deadlineMs?: number | undefined;
      readonly atMs: number;
    }
  | { readonly type: "done"; readonly id: number }
  | { readonly type: "undone"; readonly id: number; readonly by: Undoer; readonly atMs: number }
  | {
      readonly type: "failed";
      readonly id: number;
      readonly by: Undoer;
      readonly message: string;
      readonly atMs: number;
    }
  /** The window of these steps has passed, and the watchdog undoes them. */
  | { readonly type: "overrun"; readonly ids: readonly number[]; readonly atMs: number };

const LINE = /^\{"sha256":"([0-9a-f]{64})","record":(.*)\}$/s;
/** Where the end of a line is damaged, it has become one with the next: each is still a record. */
const START = /(?=\{"sha256":")/;
const DAMAGED_END = /\}[^}]*$/;

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** One line with its end. Each is valid JSON by itself. */
export function encodeRecord(record: JournalRecord): string {
  const text = JSON.stringify(record);
  return `{"sha256":"${sha256(text)}","record":${text}}\n`;
}

/** A line that is not as it was written. */
export interface DamagedLine {
  /** Counts from 1. */
  readonly number: number;
  /** What is left of it, up to `UNDO_MESSAGE_MAX_CHARS`; for people. */
  readonly text: string;
}

export interface DecodedJournal {
  readonly records: readonly JournalRecord[];
  /** The last line, where it has no end, is none of them. */
  readonly damagedLines: readonly DamagedLine[];
  /** Bytes up to the end of the last whole line. */
  readonly wholeBytes: number;
}

/**
 * What stands in a journal. A last line without an end was being written when the machine died:
 * what it announces was not done, since doing waits until it is stored.
 */
export function decodeJournal(bytes: Uint8Array): DecodedJournal {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wholeBytes = buffer.lastIndexOf(0x0a) + 1;
  const lines = buffer.toString("utf8", 0, wholeBytes).split("\n").slice(0, -1);
  const records: JournalRecord[] = [];
  const damagedLines: DamagedLine[] = [];
  for (const [index, line] of lines.entries()) {
    const record = decodeRecord(line);
    if (record !== undefined) {
      records.push(record);
      continue;
    }
    const parts = line.split(START).map((part) => decodeRecord(part.replace(DAMAGED_END, "}")));
    records.push(...parts.filter((part) => part !== undefined));
    damagedLines.push({ number: index + 1, text: line.slice(0, UNDO_MESSAGE_MAX_CHARS) });
  }
  return { records, damagedLines, wholeBytes };
}

function decodeRecord(line: string): JournalRecord | undefined {
  const [, sum, text = ""] = LINE.exec(line) ?? [];
  return sum !== undefined && sha256(text) === sum
    ? (JSON.parse(text) as JournalRecord)
    : undefined;
}
