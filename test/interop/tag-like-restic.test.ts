import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import type { SnapshotFile } from "@comeback/engine";
import { Client, jsonLines, type SnapshotJson } from "../drivers/client.ts";
import { writeSnapshots } from "../drivers/many-snapshots.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018, type Tool } from "../drivers/tools.ts";

/** The same commands on equal repositories: the same tags, messages and originals come out. */
const folder = memoryFolder("tag-like-restic");

interface Side {
  readonly client: Client;
  /** The ids as they were written, oldest first. */
  readonly ids: readonly string[];
  current: readonly (SnapshotJson & { readonly original?: string })[];
}
type Message = Record<string, unknown>;

const sides: Side[] = [];
const files: SnapshotFile[] = [
  { time: "2026-01-01T10:00:00.5+01:00", tree: "1".repeat(64), paths: ["/a"], hostname: "nas" },
  { time: "2026-01-02T10:00:00Z", tree: "2".repeat(64), paths: ["/a"], tags: ["x", "y"] },
  { time: "2026-01-03T10:00:00Z", tree: "3".repeat(64), paths: ["/b"], tags: ["z"] },
  { time: "2026-01-04T10:00:00Z", tree: "4".repeat(64), paths: ["/b"], hostname: "nas" },
];

async function makeSide(tool: Tool): Promise<Side> {
  const repository = join(folder, tool.name.replace(" ", "-"));
  await makeQuickRepository(repository);
  const ids: string[] = [];
  for (const file of files) ids.push(...(await writeSnapshots(repository, [file])));
  const client = new Client(tool, repository);
  return { client, ids, current: await client.snapshots() };
}

before(async () => {
  for (const tool of [COMEBACK, RESTIC_018]) sides.push(await makeSide(tool));
});

/** Snapshots without what differs between equal repositories: ids, by the place of the first. */
function comparable({ current, ids }: Side): unknown[] {
  return current.map(({ time, tree, paths, hostname, tags, original, id }) => ({
    time: Date.parse(time),
    tree,
    paths,
    hostname,
    tags: tags?.toSorted(),
    original: original === undefined ? undefined : ids.indexOf(original),
    isFirst: ids.includes(id),
  }));
}

for (const args of [
  ["--add", "new"],
  ["--add", "x,more", "--add", "last"],
  ["--remove", "y,none", "--remove", "x"],
  ["--add", "a b", "--remove", "new", "--host", "nas"],
  ["--set", "one,two", "--path", "/b"],
  ["--add", "end", "latest"],
  ["--add", "end", "--tag", "nowhere"],
]) {
  test(`tag ${args.join(" ")}`, async () => {
    const outcomes = await Promise.all(
      sides.map(async (side) => {
        const { client } = side;
        const old = side.current.map(({ id }) => id);
        const lines = jsonLines<Message>(await client.done(["tag", ...args, "--json"]));
        side.current = await client.snapshots();
        const ids = side.current.map(({ id }) => id);
        const messages = lines.map((line) => ({
          ...line,
          old_snapshot_id: old.indexOf(String(line["old_snapshot_id"])),
          new_snapshot_id: ids.indexOf(String(line["new_snapshot_id"])),
        }));
        const sorted = messages.toSorted((a, b) => a.old_snapshot_id - b.old_snapshot_id);
        return { messages: sorted, snapshots: comparable(side) };
      }),
    );
    assert.deepEqual(outcomes[0], outcomes[1]);
    assert.equal(outcomes[0]?.snapshots.length, files.length);
  });
}

test("a snapshot that is held stays, for restic too where it is told the tag", async () => {
  const { client } = sides[0]!;
  const restic = new Client(RESTIC_018, client.repository);
  const [oldest] = await client.snapshots();
  await client.done(["forget", "--hold", oldest!.id]);
  const [held] = await restic.snapshots();
  assert.ok(held !== undefined);
  assert.ok(held.tags?.includes("comeback:hold"));
  await restic.done(["forget", "--keep-last", "1", "--keep-tag", "comeback:hold", "-g", ""]);
  const left = (await client.snapshots()).map(({ id }) => id);
  assert.deepEqual([left.length, left[0]], [2, held.id]);
  await client.done(["forget", "--keep-last", "1", "-g", ""]);
  assert.equal((await client.snapshots()).length, 2);
  await client.done(["forget", "--unhold", held.id]);
  await client.done(["forget", "--keep-last", "1", "-g", ""]);
  assert.equal((await restic.snapshots()).length, 1);
});
