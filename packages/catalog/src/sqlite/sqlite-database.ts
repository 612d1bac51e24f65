import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { CATALOG_STATEMENTS_MAX } from "@comeback/core";
import type { SqliteDatabase, SqliteStatement } from "kysely";

/** Kysely's dialect for SQLite asks for a database with these few methods: Node's own, with them. */
export class NodeSqliteDatabase implements SqliteDatabase {
  readonly #database: DatabaseSync;
  /** The most recently used last. */
  readonly #statements: Map<string, SqliteStatement> = new Map();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  prepare(sql: string): SqliteStatement {
    // A transaction that begins by reading fails where another process wrote before its first write.
    if (sql === "begin") return this.#prepared("begin immediate");
    // SQLite has rolled back by itself after some errors (a full disk), and then refuses this.
    if (sql === "rollback" && !this.#database.isTransaction) return NOTHING;
    return this.#prepared(sql);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepared(sql: string): SqliteStatement {
    const known = this.#statements.get(sql);
    const statement = known ?? new NodeSqliteStatement(this.#database.prepare(sql));
    this.#statements.delete(sql);
    this.#statements.set(sql, statement);
    if (this.#statements.size > CATALOG_STATEMENTS_MAX) {
      const [oldest = ""] = this.#statements.keys();
      this.#statements.delete(oldest);
    }
    return statement;
  }
}

class NodeSqliteStatement implements SqliteStatement {
  readonly reader: boolean;
  readonly #statement: StatementSync;

  constructor(statement: StatementSync) {
    this.#statement = statement;
    this.reader = statement.columns().length > 0;
  }

  all(parameters: readonly unknown[]): unknown[] {
    return this.#statement.all(...(parameters as SQLInputValue[]));
  }

  run(parameters: readonly unknown[]): {
    changes: number | bigint;
    lastInsertRowid: number | bigint;
  } {
    return this.#statement.run(...(parameters as SQLInputValue[]));
  }

  iterate(parameters: readonly unknown[]): IterableIterator<unknown> {
    return this.#statement.iterate(...(parameters as SQLInputValue[]));
  }
}

const NOTHING: SqliteStatement = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [][Symbol.iterator](),
};
