import { ComebackError, isRepositoryFileName, REST_LIST_MAX_BYTES } from "@comeback/core";
import type { FileType, ListedFile } from "@comeback/core";
import { BadJsonArray, JsonArraySplitter } from "./json-array-splitter.ts";
import { readPieces } from "./read-body.ts";
import { REST_V2 } from "./rest-client.ts";
import type { CallWish, Exchange, RestClient } from "./rest-client.ts";
import { listPathOf } from "./rest-paths.ts";
import { findSize } from "./stat-file.ts";

type NamedType = Exclude<FileType, "config">;

/** The files of a type as they come from the server, or undefined where it has no such folder. */
export async function* listFiles(
  client: RestClient,
  type: NamedType,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedFile, boolean> {
  const wish: CallWish = {
    method: "GET",
    path: listPathOf(client.server.basePath, type),
    doing: `listing ${type} files`,
    signal,
    alsoAccept: [404],
  };
  using exchange = await client.start(wish);
  try {
    if (exchange.answer.status === 404) return false;
    const isV2 = exchange.answer.header("content-type")?.startsWith(REST_V2) === true;
    for await (const entries of entriesOf(exchange)) {
      if (isV2) yield* filesOf(entries, signal);
      else yield* lookUp(client, type, entries, signal);
    }
    return true;
  } catch (error) {
    if (error instanceof BadJsonArray) throw badList(client, wish, error);
    throw client.explain(wish, error);
  }
}

async function* entriesOf({ answer, guard }: Exchange): AsyncGenerator<unknown[]> {
  const splitter = new JsonArraySplitter();
  let sizeBytes = 0;
  for await (const piece of readPieces(answer.body, guard)) {
    sizeBytes += piece.byteLength;
    if (sizeBytes > REST_LIST_MAX_BYTES) throw new BadJsonArray("the list has no end");
    guard.expect(piece.byteLength);
    const entries = splitter.push(piece);
    if (entries.length > 0) yield entries;
  }
  splitter.end();
}

function* filesOf(
  entries: readonly unknown[],
  signal: AbortSignal | undefined,
): Generator<ListedFile> {
  for (const entry of entries) {
    const { name, size } = (entry ?? {}) as { readonly name?: unknown; readonly size?: unknown };
    if (typeof name !== "string") throw new BadJsonArray("an entry of the list has no name");
    // What a server has beside a repository's files: folders, files that are being written.
    if (!isRepositoryFileName(name)) continue;
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
      throw new BadJsonArray(`the list says no size for ${name}`);
    }
    signal?.throwIfAborted();
    yield { name, sizeBytes: size };
  }
}

/** Version 1 of the protocol lists only names. */
async function* lookUp(
  client: RestClient,
  type: NamedType,
  entries: readonly unknown[],
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedFile> {
  const names = entries.filter((entry) => typeof entry === "string" && isRepositoryFileName(entry));
  const { connections } = client.server;
  for (let i = 0; i < names.length; i += connections) {
    const some = names.slice(i, i + connections) as string[];
    const sizes = await Promise.all(
      some.map((name) => findSize(client, { type, name }, { signal })),
    );
    for (const [at, name] of some.entries()) {
      const sizeBytes = sizes[at];
      // Removed by another client since it was listed.
      if (sizeBytes === undefined) continue;
      signal?.throwIfAborted();
      yield { name, sizeBytes };
    }
  }
}

function badList(client: RestClient, wish: CallWish, cause: BadJsonArray): ComebackError {
  return new ComebackError("backend.io", `${wish.doing} failed`, {
    why: `${client.server.name}: ${cause.message}`,
    next: "repeat the command; if that does not help, look into the server's log",
    retryable: true,
    cause,
  });
}
