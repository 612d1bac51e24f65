import type { CheckOutcome, Latency, ProbeResult } from "@comeback/backend-layers/probe";
import { wrapWords } from "../terminal/display-width.ts";
import { formatBytes, formatMany } from "../terminal/format-values.ts";
import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";
import { type Column, renderTable } from "../terminal/table.ts";
import type { BackendTestResult } from "./test-backend.ts";

const COLUMNS = 80;
const LEFT_NAMED_MAX = 5;

const WORDS: Readonly<Record<CheckOutcome, string>> = {
  passed: "yes",
  failed: "NO",
  refused: "refused",
  unknown: "not known",
};

/** A broken promise that backups rely on, or one that could not be tried: unknown is not passed. */
export function endangersData({ checks, objectLock }: BackendTestResult): boolean {
  const isBad = ({ isVital, outcome }: ProbeResult): boolean =>
    outcome === "unknown" || (isVital && outcome !== "passed");
  return objectLock === "broken" || checks.some(isBad);
}

export function renderTestStart(location: string): string {
  return [
    `testing in ${printableText(location)}`,
    "No repository is touched; all of this folder is removed at the end.",
    "",
  ].join("\n");
}

export function renderBackendTest(result: BackendTestResult, palette: Palette): string[] {
  return [
    ...renderChecks(result),
    "",
    ...renderTimes(result),
    ...renderLeftBehind(result, palette),
    "",
    renderVerdict(result, palette),
  ];
}

function renderChecks(result: BackendTestResult): string[] {
  const { checks, objectLock, objectLockDetail, hasArchive, conditionalPut } = result;
  const lockWords = {
    broken: "NO",
    no: "no",
    "not-tried": "yes, not tried",
    works: "yes",
  } as const;
  const rows = [
    ...checks.map(({ title, outcome }) => [title, WORDS[outcome]]),
    ...(conditionalPut === undefined
      ? []
      : [["takes a name only if it is free (conditional put)", conditionalPut ? "yes" : "no"]]),
    ["can keep files from being deleted (object lock)", lockWords[objectLock]],
    ["has classes that need a thaw (archive)", hasArchive ? "yes" : "no"],
  ];
  const details = checks.flatMap(({ title, detail }) =>
    detail === undefined ? [] : noted(title, detail),
  );
  if (objectLockDetail !== undefined) details.push(...noted("object lock", objectLockDetail));
  return [...renderTable([{ title: "Storage" }, { title: "" }], rows), ...details];
}

function noted(title: string, detail: string): string[] {
  const [first = "", ...rest] = wrapWords(printableText(`${title}: ${detail}`), COLUMNS - 2);
  return [`- ${first}`, ...rest.map((line) => `  ${line}`)];
}

function renderTimes({ latencies, speeds, measuringFailure }: BackendTestResult): string[] {
  const lines: string[] = [];
  if (latencies !== undefined) {
    const columns: Column[] = [
      { title: "Small files" },
      { title: "median", align: "right" },
      { title: "95 of 100 within", align: "right" },
    ];
    const row = (what: string, { medianMs, p95Ms }: Latency): string[] => [
      what,
      `${medianMs.toFixed(1)} ms`,
      `${p95Ms.toFixed(1)} ms`,
    ];
    const { save, load, stat, remove } = latencies;
    lines.push(
      ...renderTable(columns, [
        row("save", save),
        row("load", load),
        row("look up", stat),
        row("remove", remove),
      ]),
    );
  }
  if (speeds.length > 0) {
    const columns: Column[] = [
      { title: "Packs" },
      { title: "upload", align: "right" },
      { title: "download", align: "right" },
    ];
    const rows = speeds.map(({ connections, uploadBytesPerSecond, downloadBytesPerSecond }) => [
      formatMany(connections, "connection"),
      `${formatBytes(uploadBytesPerSecond)}/s`,
      `${formatBytes(downloadBytesPerSecond)}/s`,
    ]);
    lines.push("", ...renderTable(columns, rows));
  }
  if (measuringFailure !== undefined) lines.push(...noted("times", measuringFailure));
  return lines;
}

function renderLeftBehind({ leftBehind }: BackendTestResult, palette: Palette): string[] {
  if (leftBehind.length === 0) return [];
  const named = leftBehind.slice(0, LEFT_NAMED_MAX).map((what) => `  ${printableText(what)}`);
  const more = leftBehind.length - named.length;
  return [
    "",
    `${palette.yellow("left behind:")} ${formatMany(leftBehind.length, "file")} in that folder`,
    ...named,
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function renderVerdict(result: BackendTestResult, palette: Palette): string {
  if (!endangersData(result)) return palette.green("good for backups");
  const broken = result.checks.some(({ isVital, outcome }) => isVital && outcome === "failed");
  return palette.red(
    broken || result.objectLock === "broken"
      ? "not good for backups: what it breaks may lose or damage data"
      : "not proven: something could not be tried",
  );
}

export function backendTestMessage(result: BackendTestResult): string {
  const { checks, latencies, speeds, measuringFailure, leftBehind } = result;
  return JSON.stringify({
    message_type: "backend_test",
    location: result.location,
    passed: !endangersData(result),
    checks: checks.map(({ name, title, isVital, outcome, detail }) => ({
      name,
      title,
      vital: isVital,
      outcome,
      ...(detail === undefined ? {} : { detail }),
    })),
    object_lock: result.objectLock,
    archive: result.hasArchive,
    ...(result.conditionalPut === undefined ? {} : { conditional_put: result.conditionalPut }),
    ...(latencies === undefined
      ? {}
      : {
          latency_ms: Object.fromEntries(
            Object.entries(latencies).map(([call, { medianMs, p95Ms }]) => [
              call,
              { median: medianMs, p95: p95Ms },
            ]),
          ),
        }),
    speed: speeds.map(({ connections, uploadBytesPerSecond, downloadBytesPerSecond }) => ({
      connections,
      upload_bytes_per_second: Math.round(uploadBytesPerSecond),
      download_bytes_per_second: Math.round(downloadBytesPerSecond),
    })),
    ...(measuringFailure === undefined ? {} : { measuring_failure: measuringFailure }),
    left_behind: leftBehind,
  });
}
