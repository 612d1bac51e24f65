import {
  type ByteString,
  CATALOG_ROWS_AT_ONCE,
  ComebackError,
  type FileChange,
  type FileHistoryHead,
  type FileVersion,
  type SnapshotRecord,
} from "@comeback/core";
import type { Kysely, Transaction } from "kysely";
import type { HostScope } from "../host-scope.ts";
import type { Tables } from "../tables.ts";

/**
 * A version of a path is one row, however many snapshots hold it: the number of the first of them
 * and, once it is gone, of the last. A backup therefore writes only what it changed.
 *
 * Changes may be millions: they are written in steps, by number N of a snapshot that does not count
 * until the last step marks it complete. Until then its rows are not seen (their first number is N),
 * and versions that it ended have the number before N as their last, which says the same as none.
 * That is also how a recording that was cut off is taken back.
 */
type HistorySnapshot = Pick<SnapshotRecord, "plan" | "source" | "snapshotId" | "atMs">;

export async function recordFileChanges(
  { database, host }: HostScope,
  snapshot: HistorySnapshot,
  changes: AsyncIterable<FileChange>,
  isWholeTree: boolean,
): Promise<void> {
  const recording = await database.write((tx) => begin(tx, { ...snapshot, host }));
  if (recording === undefined) return;
  const { sourceId, number, before } = recording;
  const step = (work: (tx: Transaction<Tables>) => Promise<void>): Promise<void> =>
    database.write(async (tx) => {
      await assertOurs(tx, number, database.place);
      await work(tx);
    });
  try {
    if (isWholeTree && before !== undefined) {
      // All end here; those that are among the changes go on.
      await step(async (tx) => {
        await tx
          .updateTable("fileVersions")
          .set({ lastNumber: before })
          .where("sourceId", "=", sourceId)
          .where("lastNumber", "is", null)
          .execute();
      });
    }
    let batch = new Map<ByteString, FileChange>();
    for await (const change of changes) {
      batch.set(change.path, change);
      if (batch.size < CATALOG_ROWS_AT_ONCE) continue;
      const full = batch;
      batch = new Map();
      await step((tx) => apply(tx, recording, [...full.values()]));
    }
    await step(async (tx) => {
      if (batch.size > 0) await apply(tx, recording, [...batch.values()]);
      await tx
        .updateTable("historySnapshots")
        .set({ isComplete: 1 })
        .where("number", "=", number)
        .execute();
    });
  } catch (error) {
    // Where that fails too, the next recording of the source does it.
    await database.write((tx) => takeBack(tx, recording)).catch(() => {});
    throw error;
  }
}

export async function readFileHistoryHead(
  { database, host }: HostScope,
  plan: string,
  source: string,
): Promise<FileHistoryHead | undefined> {
  return await database.read((db) =>
    db
      .selectFrom("historySnapshots")
      .innerJoin("historySources", "historySources.id", "historySnapshots.sourceId")
      .select(["historySnapshots.snapshotId as snapshotId", "historySnapshots.atMs as atMs"])
      .where("historySources.host", "=", host)
      .where("historySources.plan", "=", plan)
      .where("historySources.source", "=", source)
      .where("historySnapshots.isComplete", "=", 1)
      .orderBy("historySnapshots.number", "desc")
      .limit(1)
      .executeTakeFirst(),
  );
}

export async function listFileVersions(
  { database, host }: HostScope,
  file: { readonly plan: string; readonly source: string; readonly path: ByteString },
): Promise<FileVersion[]> {
  return await database.read(async (db) => {
    const sourceId = await findSource(db, { ...file, host });
    if (sourceId === undefined) return [];
    const head = await headNumber(db, sourceId);
    if (head === undefined) return [];
    const rows = await db
      .selectFrom("fileVersions as version")
      .innerJoin("historySnapshots as first", "first.number", "version.firstNumber")
      .innerJoin("historySnapshots as last", (join) =>
        join.on((eb) => eb("last.number", "=", eb.fn.coalesce("version.lastNumber", eb.val(head)))),
      )
      .select([
        "version.path as path",
        "version.sizeBytes as sizeBytes",
        "version.modifiedAtMs as modifiedAtMs",
        "version.contentHash as contentHash",
        "first.snapshotId as firstSnapshotId",
        "first.atMs as firstAtMs",
        "last.snapshotId as lastSnapshotId",
        "last.atMs as lastAtMs",
      ])
      .where("version.sourceId", "=", sourceId)
      .where("version.path", "=", file.path)
      .where("version.firstNumber", "<=", head)
      .orderBy("version.firstNumber", "desc")
      .execute();
    return rows;
  });
}

export async function listFileHistories({
  database,
  host,
}: HostScope): Promise<{ readonly plan: string; readonly source: string }[]> {
  return await database.read((db) =>
    db
      .selectFrom("historySources")
      .select(["plan", "source"])
      .where("host", "=", host)
      .orderBy("plan")
      .orderBy("source")
      .execute(),
  );
}

interface Recording {
  readonly sourceId: number;
  readonly number: number;
  /** Of the snapshot that counts until this one does. */
  readonly before: number | undefined;
}

/** The number that the snapshot gets; none where it has one that counts. */
async function begin(
  tx: Transaction<Tables>,
  snapshot: HistorySnapshot & { readonly host: string },
): Promise<Recording | undefined> {
  const { host, plan, source, snapshotId, atMs } = snapshot;
  await tx
    .insertInto("historySources")
    .values({ host, plan, source })
    .onConflict((conflict) => conflict.columns(["host", "plan", "source"]).doNothing())
    .execute();
  const sourceId = await findSource(tx, snapshot);
  if (sourceId === undefined) throw new Error("the row that was just made is not there");
  const others = await tx
    .selectFrom("historySnapshots")
    .select(["number", "snapshotId", "isComplete"])
    .where("sourceId", "=", sourceId)
    .where((eb) => eb.or([eb("isComplete", "=", 0), eb("snapshotId", "=", snapshotId)]))
    .execute();
  if (others.some(({ isComplete }) => isComplete === 1)) return undefined;
  const before = await headNumber(tx, sourceId);
  for (const { number } of others) await takeBack(tx, { sourceId, number, before });
  const made = await tx
    .insertInto("historySnapshots")
    .values({ sourceId, snapshotId, atMs: Math.round(atMs), isComplete: 0 })
    .returning("number")
    .executeTakeFirstOrThrow();
  return { sourceId, number: made.number, before };
}

async function takeBack(tx: Transaction<Tables>, recording: Recording): Promise<void> {
  const { sourceId, number, before } = recording;
  const mine = await tx
    .selectFrom("historySnapshots")
    .select("isComplete")
    .where("number", "=", number)
    .executeTakeFirst();
  if (mine?.isComplete !== 0) return;
  await tx
    .deleteFrom("fileVersions")
    .where("sourceId", "=", sourceId)
    .where("firstNumber", "=", number)
    .execute();
  if (before !== undefined) {
    await tx
      .updateTable("fileVersions")
      .set({ lastNumber: null })
      .where("sourceId", "=", sourceId)
      .where("lastNumber", "=", before)
      .execute();
  }
  await tx.deleteFrom("historySnapshots").where("number", "=", number).execute();
}

async function assertOurs(tx: Transaction<Tables>, number: number, place: string): Promise<void> {
  const mine = await tx
    .selectFrom("historySnapshots")
    .select("isComplete")
    .where("number", "=", number)
    .executeTakeFirst();
  if (mine?.isComplete === 0) return;
  throw new ComebackError("catalog.unusable", `the file history in ${place} was not recorded`, {
    why: "another process has begun to record the history of the same source",
    next: "nothing: the next backup records what is missing",
  });
}

/** Ends what was, and begins what is; what is the same goes on. No path stands there twice. */
async function apply(
  tx: Transaction<Tables>,
  { sourceId, number, before }: Recording,
  changes: readonly FileChange[],
): Promise<void> {
  const paths = changes.map(({ path }) => path);
  const rows = await tx
    .selectFrom("fileVersions")
    .selectAll()
    .where("sourceId", "=", sourceId)
    .where("path", "in", paths)
    .where((eb) =>
      eb.or([
        eb("lastNumber", "is", null),
        ...(before === undefined ? [] : [eb("lastNumber", "=", before)]),
      ]),
    )
    .execute();
  const current = new Map(rows.map((row) => [row.path, row]));
  const ended: ByteString[] = [];
  const kept: ByteString[] = [];
  const begun: Tables["fileVersions"][] = [];
  for (const { path, version } of changes) {
    const known = current.get(path);
    const isSame =
      known !== undefined &&
      version !== undefined &&
      known.contentHash === version.contentHash &&
      known.sizeBytes === version.sizeBytes &&
      known.modifiedAtMs === Math.round(version.modifiedAtMs);
    if (isSame) {
      if (known.lastNumber !== null) kept.push(path);
      continue;
    }
    if (known !== undefined && known.lastNumber === null) ended.push(path);
    if (version === undefined) continue;
    const { sizeBytes, contentHash } = version;
    const modifiedAtMs = Math.round(version.modifiedAtMs);
    const range = { firstNumber: number, lastNumber: null };
    begun.push({ sourceId, path, sizeBytes, modifiedAtMs, contentHash, ...range });
  }
  // A version that this very snapshot began, under a path that comes twice, is taken out.
  const again = ended.filter((path) => current.get(path)?.firstNumber === number);
  if (again.length > 0) {
    await tx
      .deleteFrom("fileVersions")
      .where("sourceId", "=", sourceId)
      .where("path", "in", again)
      .where("firstNumber", "=", number)
      .execute();
  }
  if (before !== undefined) {
    await setLast(tx, { sourceId, paths: ended, from: null, to: before });
    await setLast(tx, { sourceId, paths: kept, from: before, to: null });
  }
  if (begun.length > 0) await tx.insertInto("fileVersions").values(begun).execute();
}

async function setLast(
  tx: Transaction<Tables>,
  change: {
    readonly sourceId: number;
    readonly paths: readonly ByteString[];
    readonly from: number | null;
    readonly to: number | null;
  },
): Promise<void> {
  if (change.paths.length === 0) return;
  await tx
    .updateTable("fileVersions")
    .set({ lastNumber: change.to })
    .where("sourceId", "=", change.sourceId)
    .where("path", "in", change.paths)
    .where("lastNumber", change.from === null ? "is" : "=", change.from)
    .execute();
}

async function findSource(
  db: Kysely<Tables>,
  place: { readonly host: string; readonly plan: string; readonly source: string },
): Promise<number | undefined> {
  const row = await db
    .selectFrom("historySources")
    .select("id")
    .where("host", "=", place.host)
    .where("plan", "=", place.plan)
    .where("source", "=", place.source)
    .executeTakeFirst();
  return row?.id;
}

/** Of the newest snapshot that counts. */
async function headNumber(db: Kysely<Tables>, sourceId: number): Promise<number | undefined> {
  const row = await db
    .selectFrom("historySnapshots")
    .select((eb) => eb.fn.max("number").as("number"))
    .where("sourceId", "=", sourceId)
    .where("isComplete", "=", 1)
    .executeTakeFirst();
  return row?.number ?? undefined;
}
