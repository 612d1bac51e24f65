export type { PostgresAddress } from "./connection.ts";
export type { PostgresAccess } from "./postgres-client.ts";
export { protectPostgres, type ProtectPostgresOptions } from "./protect-postgres.ts";
export {
  executePostgresRestore,
  planPostgresRestore,
  type PostgresDump,
  type PostgresRestoreOptions,
  type PostgresRestorePlan,
} from "./restore.ts";
