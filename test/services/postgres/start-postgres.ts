import assert from "node:assert/strict";
import { execFileSync, type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { freePorts } from "../../drivers/free-ports.ts";
import { waitUntil } from "../../drivers/wait-until.ts";

const PROGRAMS = "/usr/lib/postgresql";
const SUPERUSER = "postgres";

export interface PostgresOptions {
  /** The major version; the newest that is installed where not given. */
  readonly version?: number;
  /** Further settings of postgresql.conf: `{ wal_level: "logical" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface StartedPostgres extends AsyncDisposable {
  /** Of its superuser, with the password, by TCP: `postgres://postgres:…@127.0.0.1:5433/postgres`. */
  readonly url: string;
  /** Where its socket lies; there the superuser needs no password. */
  readonly socketFolder: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly version: number;
  /** pg_dump, psql and the others of this version. */
  readonly programFolder: string;
  readonly dataFolder: string;
  urlOf(database: string): string;
  /** Ends it at once, with all its sessions, as a crash would. The data stay. */
  kill(): Promise<void>;
  /** Ends it, and starts it on the same data and port. */
  restart(): Promise<void>;
}

/**
 * A throw-away PostgreSQL on a free port of the loopback interface and on a socket. It ends with its
 * owner's disposal, with the test file, and even where that is killed.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<StartedPostgres> {
  const version = options.version ?? newestVersion();
  const folder = mkdtempSync(join(tmpdir(), "comeback-postgres-"));
  const server = new PostgresServer({ folder, version, port: (await freePorts(1))[0] ?? 0 });
  after(() => server[Symbol.asyncDispose]());
  server.initialize(options.settings ?? {});
  await server.start();
  return server;
}

function newestVersion(): number {
  const versions = readdirSync(PROGRAMS).map(Number).filter(Number.isInteger);
  assert.ok(versions.length > 0, "PostgreSQL is not installed: test/services/postgres/install.sh");
  return Math.max(...versions);
}

class PostgresServer implements StartedPostgres {
  readonly port: number;
  readonly version: number;
  readonly user: string = SUPERUSER;
  readonly password: string = randomBytes(12).toString("hex");
  readonly programFolder: string;
  readonly dataFolder: string;
  readonly socketFolder: string;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  constructor(options: {
    readonly folder: string;
    readonly version: number;
    readonly port: number;
  }) {
    this.port = options.port;
    this.version = options.version;
    this.#folder = options.folder;
    this.programFolder = join(PROGRAMS, String(options.version), "bin");
    this.dataFolder = join(options.folder, "data");
    this.socketFolder = join(options.folder, "socket");
  }

  get url(): string {
    return this.urlOf("postgres");
  }

  urlOf(database: string): string {
    return `postgres://${this.user}:${this.password}@127.0.0.1:${this.port}/${database}`;
  }

  initialize(settings: Readonly<Record<string, string>>): void {
    mkdirSync(this.socketFolder);
    const passwordFile = join(this.#folder, "password");
    writeFileSync(passwordFile, `${this.password}\n`, { mode: 0o600 });
    if (isRoot()) {
      const { uid, gid } = ownerIds();
      for (const path of [this.#folder, this.socketFolder, passwordFile]) chownSync(path, uid, gid);
    }
    const [command, ...args] = this.#asOwner("initdb", [
      `--pgdata=${this.dataFolder}`,
      `--username=${this.user}`,
      `--pwfile=${passwordFile}`,
      "--auth-local=trust",
      "--auth-host=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C.UTF-8",
      "--no-sync",
    ]);
    execFileSync(command, args, { stdio: ["ignore", "ignore", "inherit"], cwd: this.#folder });
    const lines = {
      listen_addresses: "127.0.0.1",
      port: String(this.port),
      unix_socket_directories: this.socketFolder,
      // What it has said is safe once its process is killed; no test cuts the power.
      fsync: "off",
      max_connections: "50",
      shared_buffers: "32MB",
      ...settings,
    };
    writeFileSync(
      join(this.dataFolder, "postgresql.auto.conf"),
      Object.entries(lines)
        .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
        .join(""),
    );
  }

  async start(): Promise<void> {
    const [command, ...args] = this.#asOwner("postgres", ["-D", this.dataFolder]);
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], cwd: this.#folder });
    this.#child = child;
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(-4000);
    });
    await waitUntil("PostgreSQL takes connections", () => {
      assert.equal(child.exitCode, null, `postgres ended: ${said}`);
      return this.#isReady();
    });
  }

  async kill(): Promise<void> {
    // Its children notice that it is gone and end too; SIGKILL would leave their shared memory.
    await this.#stop("SIGQUIT");
  }

  async restart(): Promise<void> {
    await this.#stop("SIGINT");
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop("SIGQUIT");
    execFileSync("rm", ["-rf", "--one-file-system", this.#folder]);
  }

  async #stop(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill(signal);
    await ended;
  }

  #isReady(): boolean {
    try {
      const args = ["-q", "-h", this.socketFolder, "-p", String(this.port), "-t", "1"];
      execFileSync(join(this.programFolder, "pg_isready"), args, { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  }

  /** PostgreSQL refuses to be root; and it is to end when we do, however that happens. */
  #asOwner(program: string, args: readonly string[]): [string, ...string[]] {
    const path = join(this.programFolder, program);
    const owner = isRoot() ? ["--reuid=postgres", "--regid=postgres", "--init-groups"] : [];
    return ["setpriv", ...owner, "--pdeathsig=QUIT", "--", path, ...args];
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function ownerIds(): { uid: number; gid: number } {
  const idOf = (flag: string) =>
    Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }).trim());
  return { uid: idOf("-u"), gid: idOf("-g") };
}
