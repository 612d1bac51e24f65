import assert from "node:assert/strict";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { Client } from "../drivers/client.ts";
import { quickenKey } from "../drivers/quick-repository.ts";
import type { Finished } from "../drivers/run-program.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018, type Tool } from "../drivers/tools.ts";

/**
 * Scripts that read restic's JSON can read ours: each command's messages have the same types and
 * the same keys, on the same stream. Each tool works in a repository of its own, on one source.
 */
const folder = scratchFolder("json-messages");
const source = makeFolder(folder, "source");
type Message = Record<string, unknown>;

interface Side {
  readonly client: Client;
  readonly init: Finished;
}

function repositoryOf(tool: Tool): string {
  return join(folder, `repository-${tool.name}`);
}

const sides: Side[] = [];

before(async () => {
  writeFileSync(join(source, "file"), "content\n".repeat(1_000));
  writeFileSync(join(source, "empty"), "");
  symlinkSync("file", join(source, "link"));
  makeFolder(source, "inner");
  for (const tool of [COMEBACK, RESTIC_018]) {
    const client = new Client(tool, repositoryOf(tool));
    sides.push({ client, init: await client.done(["init", "--json"]) });
    await quickenKey(client.repository);
  }
});

function messages(text: string): Message[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Message);
}

/** `type: keys` of each kind of message; status messages come or not, as time goes by. */
function shapes(text: string): string[] {
  const all = messages(text).map((message) => {
    const { message_type: type = "" } = message as { message_type?: string };
    return `${type}: ${Object.keys(message).toSorted().join(" ")}`;
  });
  // What the storage was called for is ours alone, and stands on standard error.
  const isCompared = (shape: string): boolean => !/^(status|storage_statistics):/.test(shape);
  return [...new Set(all)].filter(isCompared).toSorted();
}

/** Runs the same on both sides: exit code, and shapes on both streams, have to be equal. */
async function same(
  args: readonly string[],
  more: { readonly exitCode?: number; readonly env?: Record<string, string> } = {},
): Promise<void> {
  const { exitCode = 0, env = {} } = more;
  const outcomes = [];
  for (const { client } of sides) {
    const own = args.map((arg) => arg.replace("TARGET", join(folder, `t-${client.tool.name}`)));
    const finished = await client.run(["--json", ...own], { env });
    assert.equal(finished.exitCode, exitCode, finished.describe());
    const { stdout, stderr } = finished;
    outcomes.push({ stdout: shapes(stdout.toString("utf8")), stderr: shapes(stderr) });
  }
  assert.deepEqual(outcomes[0], outcomes[1]);
  assert.ok([...outcomes[0]!.stdout, ...outcomes[0]!.stderr].length > 0, "nothing was compared");
}

test("init", () => {
  const [ours, theirs] = sides.map(({ init }) => shapes(init.stdout.toString("utf8")));
  assert.deepEqual(ours, theirs);
  assert.equal(ours?.length, 1);
});

test("backup -vv: the first, with an item for each file and folder", async () => {
  await same(["backup", "-vv", source]);
});

test("backup -vv: again, with a file that changed", async () => {
  writeFileSync(join(source, "file"), "other\n");
  await same(["backup", "-vv", source]);
});

test("the items of backup -vv are the same, in some order", async () => {
  const [ours, theirs] = await Promise.all(
    sides.map(async ({ client }) => {
      const { stdout } = await client.done(["backup", "-vv", "--force", source, "--json"]);
      return messages(stdout.toString("utf8"))
        .filter((message) => message["message_type"] === "verbose_status")
        .map((message) => `${String(message["action"])} ${String(message["item"])}`)
        .toSorted();
    }),
  );
  assert.deepEqual(ours, theirs);
});

test("the status messages of a backup", async () => {
  const allowed = new Set<string>();
  const seen = new Set<string>();
  for (const { client } of sides) {
    const { stdout } = await client.done(["backup", "--force", source, "--json"], {
      env: { RESTIC_PROGRESS_FPS: "60" },
    });
    for (const message of messages(stdout.toString("utf8"))) {
      if (message["message_type"] !== "status") continue;
      for (const key of Object.keys(message)) {
        (client.tool === COMEBACK ? seen : allowed).add(key);
      }
    }
  }
  // What restic 0.18 documents; a short run shows only some of it.
  for (const key of "message_type seconds_elapsed seconds_remaining percent_done total_files files_done total_bytes bytes_done error_count current_files".split(
    " ",
  )) {
    allowed.add(key);
  }
  for (const key of seen) assert.ok(allowed.has(key), key);
});

test("restore -vv", async () => {
  await same(["restore", "latest", "--target", "TARGET", "-vv"]);
});

test("restore -vv over what is there", async () => {
  await same(["restore", "latest", "--target", "TARGET", "-vv"]);
});

for (const args of [
  ["check"],
  ["check", "--read-data"],
  ["stats"],
  ["stats", "--mode", "files-by-contents"],
  ["stats", "--mode", "blobs-per-file"],
  ["stats", "--mode", "raw-data"],
  ["ls", "latest"],
]) {
  test(args.join(" "), () => same(args));
}

for (const [name, args, more] of [
  ["a wrong password", ["snapshots"], { exitCode: 12, env: { RESTIC_PASSWORD: "wrong" } }],
  ["no such snapshot", ["restore", "ffffffff", "--target", "TARGET"], { exitCode: 1 }],
  ["an unknown option", ["snapshots", "--bogus"], { exitCode: 1 }],
  ["nothing to back up", ["backup"], { exitCode: 1 }],
] as const) {
  test(`an error: ${name}`, () => same(args, more));
}

test("an error: no repository", async () => {
  const outcomes = [];
  for (const { client } of sides) {
    const nowhere = new Client(client.tool, join(folder, "nowhere"));
    const { exitCode, stderr } = await nowhere.run(["snapshots", "--json"]);
    outcomes.push({ exitCode, stderr: shapes(stderr) });
  }
  assert.deepEqual(outcomes[0], outcomes[1]);
  assert.equal(outcomes[0]?.exitCode, 10);
});
