import {
  ComebackError,
  type PinnedSource,
  type PinOptions,
  POSTGRES_PINS_IN_FLIGHT_MAX,
  type ProtectedSource,
} from "@comeback/core";
import { PinnedCluster } from "./pinned-cluster.ts";
import { holdSnapshot, type HeldSnapshot } from "./held-snapshot.ts";
import { type PostgresAccess, PostgresClient, wordsOf } from "./postgres-client.ts";
import { probePostgres } from "./probe-postgres.ts";
import { type Programs, programsFor } from "./programs.ts";
import { chooseDatabases, type DatabaseChoice, readServerFacts } from "./server-facts.ts";

export type ProtectPostgresOptions = PostgresAccess &
  DatabaseChoice & {
    /** Roles and tablespaces, which belong to no database. The user has to be allowed to read them all. */
    readonly globals: boolean;
    /** The folder in the snapshot; from the server's `cluster_name`, or "main", if not given. */
    readonly clusterName?: string | undefined;
  };

/**
 * Logical dumps of a cluster in one snapshot: `/postgres/<cluster>/<database>.dump` in pg_dump's
 * custom format, uncompressed so that it deduplicates, and `globals.sql`.
 *
 * `pin` fixes a moment for each database, within the same second or so, but not the same moment for
 * all: PostgreSQL has none. A database that cannot be pinned or dumped is missing, and the others
 * are dumped; where none can be pinned, `pin` rejects with `source.unavailable`.
 */
export function protectPostgres(options: ProtectPostgresOptions): ProtectedSource {
  return {
    kind: "postgres",
    paths: [],
    pinsMoment: true,
    probe: ({ signal }) => probePostgres(options, signal),
    pin: (pin) => pinPostgres(options, pin),
  };
}

async function pinPostgres(
  options: ProtectPostgresOptions,
  pin: PinOptions,
): Promise<PinnedSource> {
  const { signal, onLine, time } = pin;
  signal.throwIfAborted();
  const client = await PostgresClient.create(options, signal);
  const facts = await readServerFacts(client, signal);
  const programs = programsFor(client.found, facts.major);
  const { chosen, missing, skipped } = chooseDatabases(facts, options);
  for (const { name, reason } of skipped) onLine(`database ${name} is left out: it ${reason}`);
  const cluster = new PinnedCluster({
    client,
    programs,
    clusterName: options.clusterName ?? facts.clusterName,
    time,
    onLine,
  });
  await using unlessPinned = new AsyncDisposableStack();
  unlessPinned.use(cluster);
  for (const { name, reason } of missing) cluster.miss("database", name, reason);
  await inParallel(POSTGRES_PINS_IN_FLIGHT_MAX, chosen, async ({ name, sizeBytes }) => {
    const held = await pinned(client, name, signal);
    if (typeof held === "string") cluster.miss("database", name, held);
    else cluster.add({ name, sizeBytes: sizeBytes ?? undefined, held });
  });
  if (options.globals) await addGlobals(cluster, client, programs, pin);
  if (cluster.isEmpty) throw nothingPinned(client, cluster);
  unlessPinned.move();
  return cluster;
}

/** A database's moment, or why there is none. */
async function pinned(
  client: PostgresClient,
  database: string,
  signal: AbortSignal,
): Promise<HeldSnapshot | string> {
  try {
    return await holdSnapshot(client, database, signal);
  } catch (error) {
    signal.throwIfAborted();
    return wordsOf(error);
  }
}

async function addGlobals(
  cluster: PinnedCluster,
  client: PostgresClient,
  programs: Programs,
  { signal, onLine }: PinOptions,
): Promise<void> {
  const result = await client.run(
    client.request(programs, "pg_dumpall", {
      database: client.connection.database,
      args: ["--globals-only"],
      signal,
      onLine: (line, from) => {
        if (from === "stderr") onLine(line);
      },
    }),
  );
  if (result.exitCode === 0 && result.stdout !== "") cluster.addGlobals(result.stdout);
  else cluster.miss("globals", "globals", result.lastWords || `exit code ${result.exitCode}`);
}

function nothingPinned(client: PostgresClient, cluster: PinnedCluster): ComebackError {
  const reasons = cluster.missing().map(({ name, reason }) => `${name}: ${reason}`);
  return new ComebackError(
    "source.unavailable",
    `no database can be dumped (${client.connection.shown})`,
    {
      why: reasons.length === 0 ? "the server has none" : reasons.slice(0, 10).join("; "),
      next: "check the user's permissions, and the names of the databases",
    },
  );
}

async function inParallel<T>(
  count: number,
  all: readonly T[],
  work: (each: T) => Promise<void>,
): Promise<void> {
  const waiting = [...all];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await work(next);
  };
  const outcomes = await Promise.allSettled(Array.from({ length: count }, worker));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}
