import {
  byteStringFromText,
  type Instant,
  type PinnedSource,
  POSTGRES_LOCK_WAIT_MS,
  type Source,
  type SourceItem,
} from "@comeback/core";
import {
  bytesContent,
  refuseEmpty,
  type StreamFile,
  streamsSource,
} from "@comeback/source-streams";
import type { HeldSnapshot } from "./held-snapshot.ts";
import { type PostgresClient, wordsOf } from "./postgres-client.ts";
import type { Programs } from "./programs.ts";
import { fileNameOf, folderNameOf, GLOBALS_FILE } from "./snapshot-names.ts";

type MissingItem = SourceItem & { readonly reason: string };

export interface PinnedDatabase {
  readonly name: string;
  readonly sizeBytes: number | undefined;
  readonly held: HeldSnapshot;
}

export interface PinnedClusterOptions {
  readonly client: PostgresClient;
  readonly programs: Programs;
  readonly clusterName: string;
  readonly time: Instant;
  onLine(line: string): void;
}

/**
 * A dump in the custom format begins with its magic, versions, and the time at which it was made,
 * which ends at its 51st byte at the latest. All behind it is as it was where the database is.
 */
const DUMP_HEADER_BYTES = 64;

/** Databases whose moments are held, each until it is dumped. */
export class PinnedCluster implements PinnedSource {
  readonly #options: PinnedClusterOptions;
  readonly #folder: string;
  readonly #databases = new Map<string, PinnedDatabase>();
  readonly #held = new Set<HeldSnapshot>();
  readonly #missing: MissingItem[] = [];
  #globals: string | undefined;
  #source: Source | undefined;

  constructor(options: PinnedClusterOptions) {
    this.#options = options;
    this.#folder = `/postgres/${folderNameOf(options.clusterName)}`;
  }

  get isEmpty(): boolean {
    return this.#databases.size === 0;
  }

  add(database: PinnedDatabase): void {
    this.#databases.set(database.name, database);
    this.#held.add(database.held);
  }

  addGlobals(sql: string): void {
    this.#globals = sql;
  }

  miss(kind: string, name: string, reason: string): void {
    this.#missing.push({ kind, name, reason });
  }

  get items(): readonly SourceItem[] {
    const names = [...this.#databases.keys()].sort();
    const databases = names.map((name): SourceItem => {
      const sizeBytes = this.#databases.get(name)?.sizeBytes;
      return { kind: "database", name, ...(sizeBytes === undefined ? {} : { sizeBytes }) };
    });
    const globals = { kind: "globals", name: "globals" };
    return this.#globals === undefined ? databases : [globals, ...databases];
  }

  missing(): readonly MissingItem[] {
    return this.#missing;
  }

  get source(): Source {
    this.#source ??= streamsSource({
      time: this.#options.time,
      paths: [this.#folder],
      permissions: { file: 0o600, folder: 0o700 },
      files: [
        ...this.#globalsFile(),
        ...[...this.#databases.values()].map((each) => this.#file(each)),
      ],
    });
    return this.#source;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#held];
    this.#held.clear();
    await Promise.all(all.map((held) => held[Symbol.asyncDispose]()));
  }

  #globalsFile(): StreamFile[] {
    if (this.#globals === undefined) return [];
    const bytes = Buffer.from(this.#globals, "utf8");
    const path = byteStringFromText(`${this.#folder}/${GLOBALS_FILE}`);
    return [{ path, sizeBytes: bytes.length, content: () => bytesContent(bytes) }];
  }

  #file(database: PinnedDatabase): StreamFile {
    const folder = byteStringFromText(this.#folder);
    return {
      path: `${folder}/${fileNameOf(database.name)}`,
      content: () => ({
        kind: "stream",
        // A dump that failed is no file at all, and no reason to lose the others.
        isolated: true,
        headerBytes: DUMP_HEADER_BYTES,
        open: (signal) => this.#dump(database, signal),
      }),
    };
  }

  async *#dump({ name, held }: PinnedDatabase, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { client, programs, onLine } = this.#options;
    const args = [
      "--format=custom",
      "--compress=0",
      `--snapshot=${held.id}`,
      `--lock-wait-timeout=${POSTGRES_LOCK_WAIT_MS}`,
    ];
    const request = client.request(programs, "pg_dump", {
      database: name,
      args,
      signal,
      onLine: (line) => onLine(`${name}: ${line}`),
    });
    try {
      yield* refuseEmpty(client.stream(request), "pg_dump");
    } catch (error) {
      signal.throwIfAborted();
      this.miss("database", name, wordsOf(error));
      throw error;
    } finally {
      this.#held.delete(held);
      await held[Symbol.asyncDispose]();
    }
  }
}
