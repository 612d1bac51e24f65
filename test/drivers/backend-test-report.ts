import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { Client } from "./client.ts";
import { COMEBACK } from "./tools.ts";

/** What the rows of the table are called, in their order. */
const ROWS: readonly string[] = [
  "a name that is taken is refused, and its file kept",
  "of several that create one name at once, one wins",
  "files from 0 bytes to 32 MiB come back whole",
  "a file is never seen before it is whole",
  "lists show at once what was saved",
  "a range is exact, and an error beyond the end",
  "an aborted save leaves nothing behind",
  "removal removes, and may be repeated",
  "of several that make a repository at once, one wins",
];

interface Tested {
  readonly location: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where the server keeps what is below the location. */
  readonly folder: string;
  /** The protocol has no word for removing a folder. */
  readonly keepsFolders?: boolean;
}

/** `backend test` finds a real server good, says so row by row, and leaves nothing behind. */
export async function assertBackendTestPasses(tested: Tested): Promise<void> {
  const { location, env = {}, folder, keepsFolders = false } = tested;
  const client = new Client(COMEBACK, location);
  const finished = await client.run(["backend", "test", "--no-speed"], { env });
  assert.equal(finished.exitCode, 0, finished.describe());
  const text = finished.stdout.toString("utf8");
  const rows = [...text.matchAll(/^(\S.*\S) +yes$/gm)].map(([, title]) => title);
  assert.deepEqual(rows, ROWS, finished.describe());
  assert.match(text, /good for backups\n$/);
  assert.doesNotMatch(text, /left behind/);
  const left = existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
    : [];
  const kept = left.filter((entry) => !keepsFolders || entry.isFile());
  assert.deepEqual(
    kept.map(({ parentPath, name }) => `${parentPath}/${name}`),
    [],
  );
}
