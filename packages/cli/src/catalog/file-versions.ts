import {
  type ByteString,
  type CatalogStore,
  ComebackError,
  displayText,
  type FileVersion,
  type SnapshotRecord,
} from "@comeback/core";
import { shortId } from "../snapshots/render-snapshots.ts";
import { formatBytes } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";
import { type Column, renderTable } from "../terminal/table.ts";
import { recordMessage } from "./record-message.ts";
import { localTime } from "./render-runs.ts";

/** Snapshots of one source that are looked at. */
const SNAPSHOTS_MAX = 20_000;

/** A version, and what still holds it. */
export interface HeldVersion extends FileVersion {
  /** Points in time that can still be restored. */
  readonly held: number;
  /** The newest snapshot that is still there. */
  readonly newest?: Pick<SnapshotRecord, "snapshotId" | "destination"> | undefined;
}

export interface SourceVersions {
  readonly host: string;
  readonly plan: string;
  readonly source: string;
  /** Newest first. */
  readonly versions: readonly HeldVersion[];
}

interface VersionsFilter {
  readonly allHosts?: true;
  readonly plan?: string | undefined;
  readonly source?: string | undefined;
}

async function hostsOf(store: CatalogStore): Promise<Set<string>> {
  return new Set((await store.planStatesOfAllHosts()).map(({ host }) => host));
}

/** The versions of a path in the sources that are meant; at least one. */
export async function findFileVersions(
  store: CatalogStore,
  path: ByteString,
  filter: VersionsFilter,
): Promise<SourceVersions[]> {
  const found: SourceVersions[] = [];
  const hosts = filter.allHosts === true ? await hostsOf(store) : [store.host];
  for (const host of hosts) {
    const ofHost = store.forHost(host);
    for (const { plan, source } of await ofHost.listFileHistories()) {
      if (filter.plan !== undefined && filter.plan !== plan) continue;
      if (filter.source !== undefined && filter.source !== source) continue;
      const versions = await ofHost.listFileVersions(plan, source, path);
      if (versions.length === 0) continue;
      const all = await ofHost.listSnapshots({ plan, source, limit: SNAPSHOTS_MAX });
      const there = all.filter(({ removedAtMs }) => removedAtMs === undefined);
      const held = versions.map((version) => heldIn(version, there));
      found.push({ host, plan, source, versions: held });
    }
  }
  if (found.length > 0) return found;
  const what = `no recorded snapshot holds ${printableText(displayText(path))}`;
  throw new ComebackError("snapshot.path-not-found", what, {
    why: "the file history knows what runs have recorded, by paths as they are in the snapshots",
    next: "search the repository itself with `comeback find`",
  });
}

function heldIn(version: FileVersion, snapshots: readonly SnapshotRecord[]): HeldVersion {
  const { firstAtMs, lastAtMs } = version;
  const holding = snapshots.filter(({ atMs }) => atMs >= firstAtMs && atMs <= lastAtMs);
  const [newest] = holding;
  const held = new Set(holding.map(({ atMs }) => atMs)).size;
  return { ...version, held, ...(newest === undefined ? {} : { newest }) };
}

/** For scripts; the path is text there, as in the other messages. */
export function fileVersionsMessage(found: readonly SourceVersions[]): Record<string, unknown>[] {
  return found.map(({ versions, ...source }) =>
    recordMessage({
      ...source,
      versions: versions.map((version) => ({ ...version, path: displayText(version.path) })),
    }),
  );
}

const COLUMNS: readonly Column[] = [
  { title: "Modified" },
  { title: "Size", align: "right" },
  { title: "Seen first" },
  { title: "Seen last" },
  { title: "In", align: "right" },
  { title: "Newest" },
];

/** A table for each plan and source, with a line above it that says whose it is. */
export function renderFileVersions(found: readonly SourceVersions[]): string[] {
  return found.flatMap(({ host, plan, source, versions }, place) => {
    const day = (atMs: number): string => localTime(atMs).slice(0, "2026-11-28".length);
    const rows = versions.map((version) => [
      localTime(version.modifiedAtMs),
      formatBytes(version.sizeBytes),
      day(version.firstAtMs),
      day(version.lastAtMs),
      String(version.held),
      version.newest === undefined ? "removed" : shortId(version.newest.snapshotId),
    ]);
    const title = printableText(`${plan} of ${host}, ${source}:`);
    return [...(place === 0 ? [] : [""]), title, ...renderTable(COLUMNS, rows)];
  });
}
