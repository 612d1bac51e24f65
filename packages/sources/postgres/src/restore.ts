import { COMMAND_OUTPUT_MAX_BYTES, ComebackError, type CommandRequest } from "@comeback/core";
import { type PostgresAccess, PostgresClient, wordsOf } from "./postgres-client.ts";
import { type Programs, programsFor } from "./programs.ts";
import { readServerFacts, type ServerFacts } from "./server-facts.ts";

/** A dump in pg_dump's custom format, from a snapshot. */
export type PostgresDump =
  | { readonly kind: "stream"; readonly chunks: AsyncIterable<Uint8Array> }
  /** Only a file can be restored by several jobs. */
  | { readonly kind: "file"; readonly path: string };

export type PostgresRestoreOptions = PostgresAccess & {
  /** What the database is called in the dump. */
  readonly database: string;
  /** What it is to be called; the same if not given. */
  readonly into?: string | undefined;
  /** These tables alone, "name" or "schema.name", without what they refer to. */
  readonly tables?: readonly string[] | undefined;
  /** Roles are made first, from the cluster's globals.sql. */
  readonly withGlobals?: boolean | undefined;
  readonly jobs?: number | undefined;
};

/** What a restore is going to do. */
export interface PostgresRestorePlan {
  readonly database: string;
  readonly into: string;
  readonly server: string;
  readonly programs: Programs;
  readonly appliesGlobals: boolean;
  /** By whom the database is made: by the dump with all its properties, by us as an empty one. */
  readonly creates: "from-dump" | "empty" | "no";
  readonly tables: readonly string[];
  readonly jobs: number;
}

/**
 * Plans to bring a database back into one that does not exist or is empty, or tables into one that
 * lacks them. Touches nothing. Rejects with `restore.target` where something would be overwritten.
 */
export async function planPostgresRestore(
  options: PostgresRestoreOptions,
  signal: AbortSignal,
): Promise<PostgresRestorePlan> {
  const { database, into = database, tables = [], jobs = 1, withGlobals = false } = options;
  if (jobs > 1 && tables.length > 0) throw badJobs("tables are restored in one transaction");
  if (new Set(tables.map((table) => splitTable(table).schema)).size > 1) throw severalSchemas();
  const client = await PostgresClient.create(options, signal);
  const facts = await readServerFacts(client, signal);
  const exists = facts.databases.some(({ name }) => name === into);
  if (exists) await assertRoom(client, { into, tables, signal });
  const fromDump = into === database && tables.length === 0;
  return {
    database,
    into,
    server: `PostgreSQL ${facts.version} (${client.connection.shown})`,
    programs: programsForRestore(client, facts),
    appliesGlobals: withGlobals,
    creates: exists ? "no" : fromDump ? "from-dump" : "empty",
    tables,
    jobs,
  };
}

/**
 * Carries the plan out. Rejects with `restore.incomplete` where a program fails; what was restored
 * until then is rolled back, or stays in the new database where it was made from the dump.
 */
export async function executePostgresRestore(
  plan: PostgresRestorePlan,
  options: PostgresAccess & {
    readonly dump: PostgresDump;
    /** The cluster's globals.sql, where the plan applies it. */
    readonly globalsSql?: AsyncIterable<Uint8Array> | undefined;
    readonly signal: AbortSignal;
    onLine(line: string): void;
  },
): Promise<void> {
  const { dump, globalsSql, signal, onLine } = options;
  if (plan.jobs > 1 && dump.kind === "stream") throw badJobs("a stream is restored by one job");
  const client = await PostgresClient.create(options, signal);
  if (plan.appliesGlobals) {
    if (globalsSql === undefined) throw new TypeError("the plan needs globals.sql");
    await applyGlobals(client, globalsSql, options);
  }
  const { database: maintenance } = client.connection;
  if (plan.creates === "empty") {
    const create = `CREATE DATABASE ${quoted(plan.into)} TEMPLATE template0;\n`;
    await succeed(client, client.psql(maintenance, create, signal), "creating the database");
  }
  const request = client.request(plan.programs, "pg_restore", {
    database: plan.creates === "from-dump" ? maintenance : plan.into,
    args: restoreArguments(plan, dump),
    signal,
    onLine: (line) => onLine(line),
    ...(dump.kind === "stream" ? { input: dump.chunks } : {}),
  });
  await succeed(client, request, "pg_restore");
  await assertTables(client, plan, signal);
}

function restoreArguments(plan: PostgresRestorePlan, dump: PostgresDump): string[] {
  const tables = plan.tables.map(splitTable);
  const schemas = new Set(tables.flatMap(({ schema }) => schema ?? []));
  const isWhole = plan.jobs === 1 && plan.creates !== "from-dump";
  return [
    "--exit-on-error",
    ...(plan.creates === "from-dump" ? ["--create"] : []),
    ...(isWhole ? ["--single-transaction"] : []),
    ...[...schemas].map((schema) => `--schema=${schema}`),
    ...tables.map(({ table }) => `--table=${table}`),
    ...(plan.jobs > 1 ? [`--jobs=${plan.jobs}`] : []),
    ...(dump.kind === "file" ? [dump.path] : []),
  ];
}

function splitTable(name: string): { schema: string | undefined; table: string } {
  const dot = name.indexOf(".");
  if (dot < 0) return { schema: undefined, table: name };
  return { schema: name.slice(0, dot), table: name.slice(dot + 1) };
}

/** A much newer pg_restore says what an older server does not know. */
function programsForRestore(client: PostgresClient, { major }: ServerFacts): Programs {
  return programsFor(client.found, major);
}

async function assertRoom(
  client: PostgresClient,
  target: {
    readonly into: string;
    readonly tables: readonly string[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { into, tables, signal } = target;
  const present = await client.query<readonly string[]>(into, RELATIONS, signal);
  const inTheWay =
    tables.length === 0
      ? present
      : present.filter((name) => tables.some((table) => isTable(name, table)));
  if (inTheWay.length === 0) return;
  throw new ComebackError("restore.target", `the database ${into} is not empty`, {
    why: `there is ${inTheWay.slice(0, 5).join(", ")}${inTheWay.length > 5 ? ", ..." : ""}`,
    next: "restore into a database of another name, or drop or rename what is there",
  });
}

const RELATIONS = `
SELECT coalesce(json_agg(n.nspname || '.' || c.relname ORDER BY 1), '[]')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid
    AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')`;

function isTable(present: string, wanted: string): boolean {
  return wanted.includes(".") ? present === wanted : present.endsWith(`.${wanted}`);
}

/** pg_restore says nothing where a dump has no such table. */
async function assertTables(
  client: PostgresClient,
  { into, tables }: PostgresRestorePlan,
  signal: AbortSignal,
): Promise<void> {
  if (tables.length === 0) return;
  const present = await client.query<readonly string[]>(into, RELATIONS, signal);
  const absent = tables.filter((table) => !present.some((name) => isTable(name, table)));
  if (absent.length === 0) return;
  throw new ComebackError("restore.incomplete", `the dump has no table ${absent.join(", ")}`, {
    next: "look with `pg_restore --list` which tables it has",
  });
}

/** Roles that exist already stay; any other error is one. */
async function applyGlobals(
  client: PostgresClient,
  globals: AsyncIterable<Uint8Array>,
  { signal, onLine }: { readonly signal: AbortSignal; onLine(line: string): void },
): Promise<void> {
  const failures: string[] = [];
  const { connection, found } = client;
  const request = client.request(found[0]!, "psql", {
    database: connection.database,
    args: ["--no-psqlrc", "--quiet", "--set=VERBOSITY=verbose"],
    signal,
    input: await withoutOwnRole(client, globals, signal),
    onLine(line, from) {
      if (from === "stdout") return;
      const state = /: {2}([0-9A-Z]{5}): /.exec(line)?.[1];
      if (state !== undefined && state !== DUPLICATE_OBJECT) failures.push(line);
      onLine(line);
    },
  });
  await succeed(client, request, "applying globals.sql");
  if (failures.length === 0) return;
  throw new ComebackError("restore.incomplete", "not all of globals.sql could be applied", {
    why: failures.slice(0, 3).join("; "),
    next: "connect as a superuser; no database was restored",
  });
}

/**
 * The role that we are keeps its own attributes, above all its password: with that of the old
 * cluster it could not connect any more.
 */
async function withoutOwnRole(
  client: PostgresClient,
  globals: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<string> {
  const own = await client.query<string>(
    client.connection.database,
    "SELECT to_json(quote_ident(current_user))",
    signal,
  );
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of globals) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes <= COMMAND_OUTPUT_MAX_BYTES) continue;
    throw new ComebackError("restore.incomplete", "globals.sql is larger than any that we write");
  }
  const lines = Buffer.concat(chunks).toString("utf8").split("\n");
  return lines.filter((line) => !line.startsWith(`ALTER ROLE ${own} WITH `)).join("\n");
}

const DUPLICATE_OBJECT = "42710";

async function succeed(
  client: PostgresClient,
  request: CommandRequest,
  what: string,
): Promise<void> {
  const result = await client.run(request);
  if (result.exitCode === 0) return;
  throw new ComebackError("restore.incomplete", `${what} failed`, {
    why: wordsOf(new Error(result.lastWords || `exit code ${result.exitCode}`)),
    next: "see what it says; a database that was half restored is to be dropped first",
  });
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

/** pg_restore takes every named table of every named schema. */
function severalSchemas(): ComebackError {
  return new ComebackError("option.invalid", "the tables are of several schemas", {
    next: "restore those of one schema after those of another",
  });
}

function badJobs(why: string): ComebackError {
  return new ComebackError("option.invalid", "several jobs need a whole database in a file", {
    why,
    next: "use one job, or dump it into a file first",
  });
}
