/**
 * An index of ten million blobs: how much memory it takes, how long it takes to load, and how long
 * to find a blob in it. The index files are restic's format, sealed and named as ever, in a folder in
 * memory, and are read in a process of their own the way every command reads them.
 */
import { execFileSync } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { localBackendFactory } from "@comeback/backend-local";
import { Repository } from "@comeback/engine";
import { type BlobTable, encodeIndexFile } from "@comeback/engine/internal";
import { releaseLargeBuffersEarly, systemClock, systemRandom } from "@comeback/platform";

const { values } = parseArgs({
  options: {
    blobs: { type: "string", default: "10000000" },
    folder: { type: "string", default: existsSync("/dev/shm") ? "/dev/shm" : tmpdir() },
    /** Set by the process that measures itself. */
    load: { type: "string" },
  },
});

const PASSWORD = "a benchmark";
const BLOBS_PER_FILE = 50_000;
/** Blobs of 400 kB in packs of 16 MiB. */
const BLOBS_PER_PACK = 40;
const LOOKUPS = 1_000_000;

function hexIds(count: number): string[] {
  const hex = randomFillSync(Buffer.alloc(count * 32)).toString("hex");
  return Array.from({ length: count }, (_, i) => hex.slice(i * 64, i * 64 + 64));
}

async function generate(location: string, blobs: number): Promise<void> {
  const backend = await localBackendFactory.create(location);
  const scryptCost = { N: 1024, r: 8, p: 1 };
  const given = { backend, password: PASSWORD, clock: systemClock, random: systemRandom };
  await using repository = await Repository.init({ ...given, scryptCost });
  for (let made = 0; made < blobs; made += BLOBS_PER_FILE) {
    const ids = hexIds(Math.min(BLOBS_PER_FILE, blobs - made));
    const packs = hexIds(Math.ceil(ids.length / BLOBS_PER_PACK)).map((id, pack) => ({
      id,
      blobs: ids.slice(pack * BLOBS_PER_PACK, (pack + 1) * BLOBS_PER_PACK).map((blob, place) => ({
        id: blob,
        type: pack % 20 === 0 ? ("tree" as const) : ("data" as const),
        offset: place * 400_000 + (made % 1000),
        length: 300_000 + ((made + place * 977) % 99_999),
        uncompressedLength: 500_000 + ((made + place * 5_449) % 499_999),
      })),
    }));
    await repository.saveUnpacked("index", encodeIndexFile(packs));
  }
}

/** Memory of this process that is really there. */
function residentBytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const [, kilobytes = "0"] = /^VmRSS:\s+(\d+) kB/m.exec(
    readFileSync("/proc/self/status", "utf8"),
  )!;
  return Number(kilobytes) * 1024;
}

/** Mean time of a look-up in nanoseconds; `ids` holds eight words for each. */
function timeLookups(table: BlobTable, ids: Uint32Array, expected: boolean): number {
  const views = Array.from({ length: LOOKUPS }, (_, i) => ids.subarray(i * 8, i * 8 + 8));
  let found = 0;
  const startMs = performance.now();
  for (const id of views) if (table.find("data", id) >= 0 || table.find("tree", id) >= 0) found++;
  const elapsedMs = performance.now() - startMs;
  if (found !== (expected ? LOOKUPS : 0)) throw new Error(`${found} blobs were found`);
  return (elapsedMs * 1e6) / LOOKUPS;
}

async function load(location: string): Promise<void> {
  // As the command line does.
  releaseLargeBuffersEarly();
  const given = { password: PASSWORD, clock: systemClock, random: systemRandom };
  const backend = await localBackendFactory.open(location, {});
  await using repository = await Repository.open({ ...given, backend });
  const beforeBytes = residentBytes();
  const startMs = performance.now();
  const { table, packIds } = await repository.loadIndex();
  const seconds = (performance.now() - startMs) / 1000;
  const residentGrowth = residentBytes() - beforeBytes;

  const { count } = table;
  const known = new Uint32Array(LOOKUPS * 8);
  const places = randomFillSync(new Uint32Array(LOOKUPS));
  for (let i = 0; i < LOOKUPS; i++) {
    known.set(table.idWordsOf((places[i] as number) % count), i * 8);
  }
  const unknown = randomFillSync(new Uint32Array(LOOKUPS * 8));
  const entryBytes = count * 52;
  const headBytes = table.shared.heads.byteLength;
  const perBlob = (bytes: number): string => (bytes / count).toFixed(1);
  const lines = [
    `${count} blobs in ${packIds.length} packs, loaded in ${seconds.toFixed(1)} s`,
    `table: ${perBlob(entryBytes + headBytes)} bytes a blob (${perBlob(headBytes)} of them heads)`,
    `process: grown by ${perBlob(residentGrowth)} bytes a blob, pack ids included`,
    `found: ${timeLookups(table, known, true).toFixed(0)} ns, first round`,
    `found: ${timeLookups(table, known, true).toFixed(0)} ns`,
    `not found: ${timeLookups(table, unknown, false).toFixed(0)} ns, asked for as data and as tree`,
  ];
  console.log(lines.join("\n"));
}

if (values.load !== undefined) {
  await load(values.load);
} else {
  const folder = mkdtempSync(join(values.folder, "comeback-index-"));
  try {
    const location = join(folder, "repository");
    await generate(location, Number(values.blobs));
    const self = [import.meta.filename, "--load", location];
    execFileSync(process.execPath, ["--expose-gc", ...self], { stdio: "inherit" });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
