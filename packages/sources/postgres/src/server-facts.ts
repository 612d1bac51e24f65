import type { PostgresClient } from "./postgres-client.ts";

export interface DatabaseFacts {
  readonly name: string;
  readonly allowsConnections: boolean;
  readonly isTemplate: boolean;
  /** A DROP DATABASE was interrupted. */
  readonly isInvalid: boolean;
  readonly mayConnect: boolean;
  readonly sizeBytes: number | null;
}

export interface ServerFacts {
  readonly major: number;
  readonly version: string;
  readonly clusterName: string;
  /** The roles with their passwords, which are part of globals. */
  readonly readsRoles: boolean;
  readonly readsAll: boolean;
  readonly databases: readonly DatabaseFacts[];
}

const FACTS = `
SELECT json_build_object(
  'major', current_setting('server_version_num')::int / 10000,
  'version', current_setting('server_version'),
  'clusterName', current_setting('cluster_name'),
  'readsRoles', has_table_privilege('pg_authid', 'SELECT'),
  'readsAll', r.rolsuper OR EXISTS (
    SELECT FROM pg_roles a WHERE a.rolname = 'pg_read_all_data'
    AND pg_has_role(current_user, a.oid, 'USAGE')),
  'databases', (
    SELECT json_agg(json_build_object(
      'name', datname,
      'allowsConnections', datallowconn,
      'isTemplate', datistemplate,
      'isInvalid', datconnlimit = -2,
      'mayConnect', has_database_privilege(oid, 'CONNECT'),
      'sizeBytes', CASE WHEN has_database_privilege(oid, 'CONNECT') AND datconnlimit <> -2
        THEN pg_database_size(oid) END
    ) ORDER BY datname) FROM pg_database)
) FROM pg_roles r WHERE r.rolname = current_user`;

/** What the server says of itself. Rejects with `source.unavailable`. */
export function readServerFacts(client: PostgresClient, signal: AbortSignal): Promise<ServerFacts> {
  return client.query<ServerFacts>(client.connection.database, FACTS, signal);
}

export interface DatabaseChoice {
  /** The databases to dump; all that hold somebody's data if not given. */
  readonly databases?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

export interface ChosenDatabases {
  readonly chosen: readonly DatabaseFacts[];
  /** Asked for by name, and not to be had. */
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
  /** Not asked for by name and left out, `isNotable` where data may be in them. */
  readonly skipped: readonly {
    readonly name: string;
    readonly reason: string;
    readonly isNotable: boolean;
  }[];
}

/**
 * Which databases are dumped. Templates that people made hold their data and are; the two that come
 * with every cluster are not.
 */
export function chooseDatabases(facts: ServerFacts, choice: DatabaseChoice): ChosenDatabases {
  const { databases, exclude = [] } = choice;
  const byName = new Map(facts.databases.map((each) => [each.name, each]));
  if (databases !== undefined) {
    const wanted = [...new Set(databases)].filter((name) => !exclude.includes(name));
    const missing = wanted.flatMap((name) => {
      const found = byName.get(name);
      const reason = found === undefined ? "does not exist" : closedReason(found);
      return reason === undefined ? [] : [{ name, reason }];
    });
    const isMissing = new Set(missing.map(({ name }) => name));
    const chosen = wanted.filter((name) => !isMissing.has(name)).map((name) => byName.get(name)!);
    return { chosen, missing, skipped: [] };
  }
  const chosen: DatabaseFacts[] = [];
  const skipped: { name: string; reason: string; isNotable: boolean }[] = [];
  for (const each of facts.databases) {
    const { name } = each;
    const closed = closedReason(each);
    if (exclude.includes(name)) skipped.push({ name, reason: "is excluded", isNotable: false });
    else if (name === "template0" || name === "template1") {
      skipped.push({ name, reason: "is a template of every cluster", isNotable: false });
    } else if (closed !== undefined) skipped.push({ name, reason: closed, isNotable: true });
    else chosen.push(each);
  }
  return { chosen, missing: [], skipped };
}

function closedReason({ allowsConnections, isInvalid }: DatabaseFacts): string | undefined {
  if (isInvalid) return "is invalid: its DROP DATABASE was interrupted";
  return allowsConnections ? undefined : "allows no connections";
}
