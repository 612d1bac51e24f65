import { isComebackError } from "@comeback/core";
import { type PostgresClient, wordsOf } from "./postgres-client.ts";

/** A moment of one database, for as long as its transaction is held open. */
export interface HeldSnapshot extends AsyncDisposable {
  /** For `pg_dump --snapshot`. */
  readonly id: string;
}

/**
 * No limit of the server's may end the transaction while a dump runs. A `SET` of a setting that the
 * version does not have would be an error.
 */
const HOLD = `
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT count(set_config(name, '0', false)) FROM pg_settings WHERE name IN
  ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout');
SELECT 'snapshot:' || pg_export_snapshot();
`;

/**
 * Exports a snapshot of a database and holds it. psql waits for the rest of its input meanwhile:
 * where we die, its input ends, and the transaction with it. Rejects with `source.unavailable`.
 */
export async function holdSnapshot(
  client: PostgresClient,
  database: string,
  signal: AbortSignal,
): Promise<HeldSnapshot> {
  const end = Promise.withResolvers<void>();
  async function* input(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(HOLD);
    await end.promise;
  }
  const output = client.stream(client.psql(database, input(), signal));
  const reader = output[Symbol.asyncIterator]();
  const release = async (): Promise<void> => {
    end.resolve();
    // It is stopped, and waited for; how it ended does not matter any more.
    await reader.return?.().catch(() => undefined);
  };
  try {
    return { id: await readId(reader), [Symbol.asyncDispose]: release };
  } catch (error) {
    await release();
    signal.throwIfAborted();
    if (!isComebackError(error, "command.failed")) throw error;
    throw client.refusal(database, wordsOf(error), error);
  }
}

async function readId(reader: AsyncIterator<Uint8Array>): Promise<string> {
  let said = "";
  for (;;) {
    const { value, done } = await reader.next();
    if (done === true) throw new Error("psql ended before it named its snapshot");
    said += Buffer.from(value).toString("utf8");
    const id = /^snapshot:([\w-]+)\n/m.exec(said)?.[1];
    if (id !== undefined) return id;
  }
}
