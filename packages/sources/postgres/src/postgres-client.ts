import { join } from "node:path";
import {
  ComebackError,
  type CommandRequest,
  type CommandResult,
  type CommandRunner,
  isComebackError,
  POSTGRES_CONNECT_SECONDS,
} from "@comeback/core";
import { type Connection, conninfo, parseConnection, type PostgresAddress } from "./connection.ts";
import { findPrograms, type Programs, programsFor } from "./programs.ts";

export interface PostgresAccess {
  /** Asked for each time: the password may have changed since. */
  readonly address: (signal: AbortSignal) => Promise<PostgresAddress>;
  /** The folder of pg_dump; the one that fits the server is looked for if not given. */
  readonly programs?: string | undefined;
  /** The user of the system that the programs run as; ours if not given. */
  readonly runAs?: string | undefined;
  readonly runner: CommandRunner;
}

/**
 * Talks to one server, through PostgreSQL's own programs alone: what a query sees is then what
 * pg_dump will see, whichever way of signing in, password file or certificate is set up for it.
 */
export class PostgresClient {
  readonly connection: Connection;
  readonly found: readonly Programs[];
  readonly #access: PostgresAccess;
  readonly #asUser: readonly string[];

  private constructor(options: {
    readonly access: PostgresAccess;
    readonly connection: Connection;
    readonly found: readonly Programs[];
    readonly asUser: readonly string[];
  }) {
    this.#access = options.access;
    this.connection = options.connection;
    this.found = options.found;
    this.#asUser = options.asUser;
  }

  /** Rejects with `command.missing` where there are no programs. Connects to nothing. */
  static async create(access: PostgresAccess, signal: AbortSignal): Promise<PostgresClient> {
    const { runner, programs: folder } = access;
    const connection = parseConnection(await access.address(signal));
    const found = await findPrograms({ folder, runner, signal });
    // Any version of psql speaks with any server; which pg_dump fits, its answer says.
    programsFor(found, 0);
    return new PostgresClient({ access, connection, found, asUser: await asUser(access, signal) });
  }

  /** A program of these, with its way to one database. */
  request(
    programs: Programs,
    program: string,
    options: {
      readonly database: string;
      readonly args: readonly string[];
      readonly signal: AbortSignal;
    } & Pick<CommandRequest, "input" | "onLine">,
  ): CommandRequest {
    const { database, args, signal, input, onLine } = options;
    const way = `--dbname=${conninfo(this.connection, database)}`;
    const { password } = this.connection;
    const argv = [...this.#asUser, join(programs.folder, program), "--no-password", way, ...args];
    return {
      argv: argv as unknown as CommandRequest["argv"],
      env: {
        // pg_dump would convert the data to it.
        PGCLIENTENCODING: program === "psql" ? "UTF8" : undefined,
        PGCONNECT_TIMEOUT: String(POSTGRES_CONNECT_SECONDS),
        PGAPPNAME: "comeback",
        LC_ALL: "C",
        ...(password === undefined ? {} : { PGPASSWORD: password }),
      },
      // Where we are may be no place for the user that it runs as.
      workingFolder: "/",
      signal,
      ...(input === undefined ? {} : { input }),
      ...(onLine === undefined ? {} : { onLine }),
    };
  }

  psql(
    database: string,
    input: NonNullable<CommandRequest["input"]>,
    signal: AbortSignal,
  ): CommandRequest {
    const args = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"];
    return this.request(this.found[0]!, "psql", { database, args, signal, input });
  }

  run(request: CommandRequest): Promise<CommandResult> {
    return this.#access.runner.run(request);
  }

  stream(request: CommandRequest): AsyncIterable<Uint8Array> {
    return this.#access.runner.stream(request);
  }

  /** The one JSON value that a query gives. Rejects with `source.unavailable`. */
  async query<T>(database: string, sql: string, signal: AbortSignal): Promise<T> {
    const result = await this.run(this.psql(database, `${sql};\n`, signal));
    if (result.exitCode === 0) return JSON.parse(result.stdout) as T;
    throw this.refusal(database, result.lastWords);
  }

  /** What is said where a database does not let us in, or does not answer. */
  refusal(database: string, said: string, cause?: unknown): ComebackError {
    const { shown } = this.connection;
    return new ComebackError(
      "source.unavailable",
      `PostgreSQL does not answer (${shown}, database ${database})`,
      { why: said, next: adviceFor(said), cause },
    );
  }
}

function adviceFor(said: string): string {
  if (/password authentication failed|no password supplied/.test(said)) {
    return "check the password and the user's name";
  }
  if (/peer authentication failed/i.test(said)) {
    return "say `run-as: postgres`, or name a user and a password";
  }
  if (/connection refused|no such file|could not translate|timeout|timed out/i.test(said)) {
    return "check that the server runs, and its host and port";
  }
  if (/permission denied|not permitted/i.test(said)) {
    return "let this user connect to the database, or exclude the database";
  }
  return "try the same with psql";
}

/** What goes before a program so that it runs as another user of the system. */
async function asUser({ runAs, runner }: PostgresAccess, signal: AbortSignal): Promise<string[]> {
  if (runAs === undefined) return [];
  const idOf = async (flag: string): Promise<string> => {
    const { exitCode, stdout } = await runner.run({ argv: ["id", flag, "--", runAs], signal });
    if (exitCode === 0) return stdout.trim();
    throw new ComebackError("configuration.invalid", `run-as: there is no user ${runAs}`, {
      next: "name a user of this system",
    });
  };
  const [uid, gid] = [await idOf("-u"), await idOf("-g")];
  const own = process.getuid?.();
  if (String(own) === uid) return [];
  if (own !== 0) {
    throw new ComebackError("configuration.invalid", `run-as: only root can become ${runAs}`, {
      next: `run as root or as ${runAs}, or take run-as out`,
    });
  }
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--init-groups", "--"];
}

/** Why a program failed, as it said itself. */
export function wordsOf(error: unknown): string {
  if (isComebackError(error)) return error.why ?? error.message;
  return error instanceof Error ? error.message : String(error);
}
