import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { localBackendFactory } from "@comeback/backend-local";
import { Repository } from "@comeback/engine";
import { systemClock, systemRandom } from "@comeback/platform";
import { assertError } from "../drivers/assert-error.ts";
import { Client, PASSWORD } from "../drivers/client.ts";
import { overwrite } from "../drivers/damage.ts";
import { BindMount } from "../drivers/mounts.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { filesOf, inventory } from "../drivers/repository-files.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";

/** What a person may get wrong: one clear error, the right exit code, nothing changed. */
const folder = scratchFolder("bad-input");
const source = makeFolder(folder, "source");
const ours = new Client(COMEBACK, join(folder, "repository"));

before(async () => {
  writeFileSync(join(source, "file"), "content\n");
  await makeQuickRepository(ours.repository);
  for (let i = 0; i < 18; i++) {
    writeFileSync(join(source, "counter"), String(i));
    await ours.backup([source], { args: ["--tag", `number-${i}`] });
  }
});

interface Mistake {
  readonly what: string;
  readonly args: readonly string[];
  readonly exitCode?: number;
  readonly code: string;
  readonly says?: RegExp;
}

const nonsense = ["--this-is-no-option"];
const MISTAKES: readonly Mistake[] = [
  { what: "an unknown option", args: ["backup", ...nonsense, source], code: "option.invalid" },
  { what: "an unknown command", args: ["bakcup", source], code: "option.invalid", says: /backup/ },
  { what: "nothing to back up", args: ["backup"], code: "backup.no-source" },
  {
    what: "a compression that there is not",
    args: ["backup", "--compression", "best", source],
    code: "option.invalid",
    says: /auto, off/,
  },
  {
    what: "a pack size out of bounds",
    args: ["backup", "--pack-size", "1", source],
    code: "option.invalid",
    says: /4 to 128/,
  },
  {
    what: "no readers at all",
    args: ["backup", "--read-concurrency", "0", source],
    code: "option.invalid",
  },
  {
    what: "a time that is none",
    args: ["backup", "--time", "now", source],
    code: "option.invalid",
  },
  {
    what: "a size that is none",
    args: ["backup", "--exclude-larger-than", "much", source],
    code: "option.invalid",
  },
  {
    what: "a pattern that is not closed",
    args: ["backup", "--exclude", "[a-", source],
    code: "option.invalid",
    says: /\[a-/,
  },
  {
    what: "a list of patterns that is not there",
    args: ["backup", "--exclude-file", "/no/such/list", source],
    code: "option.invalid",
    says: /no\/such\/list/,
  },
  {
    what: "a list of files that is not there",
    args: ["backup", "--files-from", "/no/such/list"],
    code: "option.invalid",
    says: /no\/such\/list/,
  },
  {
    what: "standard input and a path",
    args: ["backup", "--stdin", source],
    code: "option.invalid",
  },
  {
    what: "a parent that is not there",
    args: ["backup", "--parent", "0123456789", source],
    code: "snapshot.not-found",
  },
  {
    what: "a path that does not exist, alone",
    args: ["backup", "/no/such/path"],
    code: "backup.no-source",
    says: /no\/such\/path|exists/,
  },
  {
    what: "a snapshot that is not there",
    args: ["restore", "0123456789abcdef", "--target", join(folder, "target")],
    code: "snapshot.not-found",
  },
  {
    what: "an id that is no id",
    args: ["restore", "yesterday", "--target", join(folder, "target")],
    code: "snapshot.not-found",
  },
  {
    what: "latest of a host that never was",
    args: ["restore", "latest", "--host", "nobody", "--target", join(folder, "target")],
    code: "snapshot.not-found",
  },
  {
    what: "a subpath that is not in the snapshot",
    args: ["restore", "latest:/nowhere", "--target", join(folder, "target")],
    code: "snapshot.path-not-found",
    says: /nowhere/,
  },
  { what: "a restore without a target", args: ["restore", "latest"], code: "option.invalid" },
  {
    what: "includes and excludes at once",
    args: ["restore", "latest", "-t", join(folder, "target"), "-i", "a", "-e", "b"],
    code: "option.invalid",
  },
  {
    what: "a way to overwrite that there is not",
    args: ["restore", "latest", "-t", join(folder, "target"), "--overwrite", "maybe"],
    code: "option.invalid",
    says: /if-changed/,
  },
  {
    what: "--delete on the root without a filter",
    args: ["restore", "latest", "--target", "/", "--delete", "--dry-run"],
    code: "option.invalid",
  },
  {
    what: "a target that is a file",
    args: ["restore", "latest", "--target", join(source, "file")],
    code: "restore.target",
  },
  {
    what: "a target below a file",
    args: ["restore", "latest", "--target", join(source, "file", "below")],
    code: "restore.target",
  },
  {
    what: "a subset beyond its whole",
    args: ["check", "--read-data-subset", "7/5"],
    code: "option.invalid",
  },
  {
    what: "a subset of more than everything",
    args: ["check", "--read-data-subset", "101%"],
    code: "option.invalid",
  },
  {
    what: "a duration that is none",
    args: ["snapshots", "--retry-lock", "soon"],
    code: "option.invalid",
  },
  { what: "quiet and verbose", args: ["snapshots", "-q", "-v"], code: "option.invalid" },
  { what: "an unknown mode of stats", args: ["stats", "--mode", "weight"], code: "option.invalid" },
  { what: "a repository where there is one", args: ["init"], code: "repository.exists" },
  {
    what: "a format version that nobody knows",
    args: ["init", "--repository-version", "3"],
    code: "option.invalid",
  },
];

for (const { what, args, exitCode = 1, code, says } of MISTAKES) {
  test(`${what}: ${exitCode}, ${code}`, async () => {
    const files = inventory(ours.repository);
    const finished = await ours.run(args);
    assertError(finished, { exitCode, code, ...(says === undefined ? {} : { says }) });
    assert.deepEqual(inventory(ours.repository), files);
    assert.ok(!existsSync(join(folder, "target")));
  });
}

test("a wrong password: 12; an empty one: 1", async () => {
  const files = inventory(ours.repository);
  const wrong = new Client(COMEBACK, ours.repository, "wrong");
  for (const args of [["backup", source], ["restore", "latest", "-t", folder], ["check"]]) {
    assertError(await wrong.run(args), { exitCode: 12, code: "key.wrong-password" });
  }
  const empty = new Client(COMEBACK, ours.repository, "");
  assertError(await empty.run(["check"]), { exitCode: 1, code: "option.invalid" });
  assert.deepEqual(inventory(ours.repository), files);
});

test("no repository: 10, and none is made", async () => {
  const places = [join(folder, "missing"), makeFolder(folder, "empty"), join(source, "file")];
  for (const place of places) {
    const client = new Client(COMEBACK, place);
    for (const args of [
      ["backup", source],
      ["snapshots"],
      ["check"],
      ["restore", "latest", "-t", folder],
    ]) {
      assertError(await client.run(args), { exitCode: 10, code: "repository.none" });
    }
  }
  assert.ok(!existsSync(join(folder, "missing")));
  assert.deepEqual(readdirSync(join(folder, "empty")), []);
});

test("a repository of an unknown version is left alone", async () => {
  const repository = join(folder, "version-3");
  await makeQuickRepository(repository);
  const backend = await localBackendFactory.open(repository);
  {
    const common = { backend, password: PASSWORD, clock: systemClock, random: systemRandom };
    await using opened = await Repository.open(common);
    const json = JSON.stringify({ ...opened.config.raw, version: 3 });
    overwrite(join(repository, "config"), opened.codec.cipher.seal(Buffer.from(json)));
  }
  const files = inventory(repository);
  const client = new Client(COMEBACK, repository);
  for (const args of [["backup", source], ["check"], ["restore", "latest", "-t", folder]]) {
    const finished = await client.run(args);
    assertError(finished, { exitCode: 1, code: "repository.unknown-version", says: /version 3/ });
  }
  assert.deepEqual(inventory(repository), files);
});

test("the start of several ids", async () => {
  const ids = filesOf(ours.repository, "snapshots").map((path) => path.slice("snapshots/".length));
  // Of 18 ids two begin with the same one of 16 digits.
  const start = ids.map((id) => id.slice(0, 1)).find((digit, i, all) => all.indexOf(digit) !== i);
  assert.ok(start !== undefined);
  const files = inventory(ours.repository);
  for (const args of [
    ["restore", start, "--target", join(folder, "target")],
    ["ls", start],
    ["backup", "--parent", start, source],
  ]) {
    const finished = await ours.run(args);
    const first = ids.find((id) => id.startsWith(start))?.slice(0, 8) ?? "";
    assertError(finished, { exitCode: 1, code: "snapshot.ambiguous", says: new RegExp(first) });
  }
  assert.deepEqual(inventory(ours.repository), files);
});

test("a path that does not exist among others: 3, named, the rest is saved", async () => {
  const finished = await ours.run(["backup", source, "/no/such/path", join(source, "nor-this")]);
  assert.equal(finished.exitCode, 3, finished.describe());
  assert.match(finished.stderr, /\/no\/such\/path/);
  assert.match(finished.stderr, /nor-this/);
  const target = makeFolder(folder, "restored");
  await ours.restore(`latest:${source}`, target);
  assertSameTree(source, target, { tops: false });
});

test("a target that is not writable, and a repository that is not", async () => {
  const real = makeFolder(folder, "read-only-real");
  const target = new BindMount(real, join(folder, "read-only"));
  while (!target.makeReadOnly());
  const files = inventory(ours.repository);
  for (const place of [target.folder, join(target.folder, "below")]) {
    const finished = await ours.run(["restore", "latest", "--target", place]);
    assertError(finished, { exitCode: 1, code: "restore.target", says: /read-only/i });
  }
  assert.deepEqual(readdirSync(real), []);
  const init = await new Client(COMEBACK, join(target.folder, "repository")).run(["init"]);
  assertError(init, { exitCode: 1, code: "backend.read-only" });
  assert.deepEqual(inventory(ours.repository), files);
});

test("a file that is no snapshot lies among them: it is passed over", async () => {
  const before = (await ours.snapshots()).length;
  writeFileSync(join(ours.repository, "snapshots", "notes.txt"), "mine");
  const bytes = readFileSync(join(ours.repository, "config"));
  const copy = createHash("sha256").update(bytes).digest("hex").slice(0, 60);
  writeFileSync(join(ours.repository, "data", `${copy}-tmp-0123`), bytes);
  chmodSync(join(ours.repository, "snapshots", "notes.txt"), 0o000);
  assert.equal((await ours.snapshots()).length, before);
  await ours.check();
});
