import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, beforeEach, describe, it } from "node:test";
import { localBackendFactory } from "@comeback/backend-local";
import { Repository, saveSnapshot } from "@comeback/engine";
import { systemClock, systemRandom } from "@comeback/platform";
import { makeQuickRepository } from "./quick-repository.ts";
import { jsonLines, type Outcome, PASSWORD, runComeback, ScratchFolder } from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
let number = 0;
let repository = "";
let ids: string[] = [];

function run(...args: string[]): Outcome {
  return runComeback(["-r", repository, ...args]);
}

function refused(args: readonly string[], code: string, says: RegExp): void {
  const { exitCode, stdout, stderr } = run(...args);
  const text = stderr.replaceAll(/\s+/g, " ");
  assert.equal(exitCode, 1, text);
  assert.equal(stdout, "", args.join(" "));
  assert.ok(text.includes(`[${code}]`), text);
  assert.match(text, says);
}

function assertUntouched(): void {
  assert.deepEqual(currentIds(), ids, "something was removed or changed");
}

function currentIds(): string[] {
  const { stdout } = run("snapshots", "--json");
  return (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
}

/** Four of two hosts, three days apart, the oldest first; the last is of today. */
beforeEach(async () => {
  repository = scratch.at(`repository-${++number}`);
  await makeQuickRepository(repository);
  const backend = await localBackendFactory.open(repository);
  await using open = await Repository.open({
    backend,
    password: PASSWORD,
    clock: systemClock,
    random: systemRandom,
  });
  ids = [];
  for (const place of [3, 2, 1, 0]) {
    const saved = await saveSnapshot(open, {
      time: new Date(Date.now() - place * 3 * 86_400_000).toISOString(),
      tree: "0".repeat(64),
      paths: ["/data"],
      hostname: place === 3 ? "nas" : "laptop",
      tags: place === 2 ? ["tax\u001b[2J"] : [],
    });
    ids.push(saved.id);
  }
});

describe("forget", () => {
  it("shows each snapshot with the rules that keep it, and removes the others", () => {
    const preview = run("forget", "--keep-last", "1", "--keep-min-age", "5d", "--dry-run");
    assert.equal(preview.exitCode, 0, preview.stderr);
    const short = ids.map((id) => id.slice(0, 8));
    const lines = preview.stdout.split("\n").map((line) => line.replace(/ \d+:\d+:\d+ /, " "));
    const row = (id: string | undefined): string => lines.find((line) => line.startsWith(id!))!;
    assert.ok(lines.includes("snapshots for (host [laptop], paths [/data]):"));
    assert.match(row(short[0]), /last snapshot$/);
    assert.match(row(short[1]), /tax\\x1b\[2J$/);
    assert.match(row(short[2]), /younger than 5d$/);
    assert.match(row(short[3]), /last snapshot$/);
    assert.match(preview.stdout, /keep 2 snapshots:[\s\S]*remove 1 snapshot:[\s\S]*would remove 1/);
    assert.deepEqual(currentIds(), ids);
    const done = run("forget", "--keep-last", "1", "--keep-min-age", "5d");
    assert.ok(done.stdout.startsWith(preview.stdout.replace("would remove 1 snapshot\n", "")));
    assert.match(done.stdout, /^removed 1 snapshot; `comeback prune` frees/m);
    assert.deepEqual(currentIds(), [ids[0], ids[2], ids[3]]);
  });

  it("has restic's JSON, and says nothing with --quiet", () => {
    const { stdout } = run("forget", "--keep-last", "1", "--host", "laptop", "--json");
    type Ids = { id: string; short_id: string }[];
    const [group, ...others] = JSON.parse(stdout) as {
      keep: Ids;
      remove: Ids;
      reasons: { snapshot: { id: string }; matches: string[] }[];
    }[];
    assert.deepEqual(others, []);
    assert.deepEqual(Object.keys(group!), ["tags", "host", "paths", "keep", "remove", "reasons"]);
    assert.deepEqual(
      group!.keep.map(({ id }) => id),
      [ids[3]],
    );
    assert.deepEqual(
      group!.remove.map(({ id }) => id),
      [ids[2], ids[1]],
    );
    assert.deepEqual(group!.reasons[0]!.matches, ["last snapshot"]);
    const quiet = run("forget", "-q", ids[0]!.slice(0, 10));
    assert.deepEqual(quiet, { exitCode: 0, stdout: "", stderr: "" });
    assert.deepEqual(currentIds(), [ids[3]]);
  });

  it("refuses what would remove a whole group, until it is told that it may", () => {
    const policy = ["forget", "--keep-tag", "nowhere"];
    refused(policy, "forget.removes-all", /every snapshot of host .* --allow-remove-all/);
    refused([...policy, "--dry-run"], "forget.removes-all", /no rule keeps/);
    refused(["forget", "--allow-remove-all"], "option.invalid", /--host, --tag or --path/);
    assertUntouched();
    assert.equal(run("forget", "--host", "nas", "--unsafe-allow-remove-all").exitCode, 0);
    assert.deepEqual(currentIds(), ids.slice(1));
    assert.equal(run(...policy, "--allow-remove-all").exitCode, 0);
    assert.deepEqual(currentIds(), []);
  });

  it("names the accepted forms where a value is mistyped", () => {
    refused(["forget", "--keep-within", "2w"], "option.invalid", /years y, months m, days d/);
    refused(["forget", "--keep-min-age", ""], "option.invalid", /1y5m7d2h/);
    refused(["forget", "--keep-within-daily", "-3d"], "option.invalid", /1y5m7d2h/);
    refused(["forget", "--keep-daily", "7d"], "option.invalid", /a whole number/);
    refused(["forget", "--keep-last", "-1"], "option.invalid", /a whole number/);
    refused(["forget", "--keep-min-count", "x"], "option.invalid", /a whole number/);
    refused(["forget", "--keep-last", "1", "-g", "size"], "option.invalid", /host, paths and tags/);
    assertUntouched();
  });

  it("refuses what leaves open which snapshots are meant", () => {
    refused(["forget"], "option.invalid", /a rule such as --keep-daily 7/);
    refused(["forget", "--keep-last", "0"], "option.invalid", /no rule says what to keep/);
    refused(["forget", "--keep-last", "1", ids[0]!], "option.invalid", /ids or rules/);
    refused(["forget", ids[0]!, "beef"], "snapshot.not-found", /no snapshot beef/);
    refused(["forget", "--no-lock", "--keep-last", "1"], "option.invalid", /--no-lock/);
    refused(["forget", "--keep-last", "1", "--instant"], "option.invalid", /give --prune/);
    refused(["forget", "--hold"], "option.invalid", /by their ids/);
    refused(["forget", "--hold", "--unhold", ids[0]!], "option.invalid", /contradict/);
    refused(["forget", "--hold", "--keep-last", "1", ids[0]!], "option.invalid", /rules/);
    assertUntouched();
  });

  it("removes nothing where a snapshot cannot be read: a rule might mean it", () => {
    writeFileSync(join(repository, "snapshots", ids[1]!), "damaged");
    const { exitCode, stderr } = run("forget", "--keep-last", "1");
    assert.equal(exitCode, 1);
    assert.match(stderr, new RegExp(`${ids[1]!.slice(0, 8)} is damaged \\[repository.damaged\\]`));
    assert.equal(readdirSync(join(repository, "snapshots")).length, 4);
  });

  it("keeps a held snapshot, also when it is named, until it is released", () => {
    const held = run("forget", "--hold", ids[1]!);
    assert.match(
      held.stdout,
      new RegExp(`^${ids[1]!.slice(0, 8)} is held; its id is [0-9a-f]{8} now`),
    );
    assert.match(run("forget", "--hold", "--tag", "comeback:hold", "latest").stdout, /nothing was/);
    [ids[1]] = [currentIds()[1]!];
    refused(["forget", ids[0]!, ids[1]], "forget.held", /--unhold/);
    assertUntouched();
    assert.equal(run("tag", "--set", "other", ids[1]).exitCode, 0);
    [ids[1]] = [currentIds()[1]!];
    const rest = run("forget", "--keep-last", "1", "-g", "", "-c");
    assert.match(rest.stdout, new RegExp(`^${ids[1].slice(0, 8)} .* held$`, "m"));
    assert.deepEqual(currentIds(), [ids[1], ids[3]]);
    const [changed, summary] = jsonLines(run("forget", "--unhold", ids[1], "--json").stdout);
    assert.equal(changed?.["old_snapshot_id"], ids[1]);
    assert.deepEqual(summary, { message_type: "summary", changed_snapshots: 1 });
    assert.equal(run("forget", String(changed?.["new_snapshot_id"])).exitCode, 0);
    assert.deepEqual(currentIds(), [ids[3]]);
  });
});

describe("tag", () => {
  it("refuses what changes nothing, contradicts itself, or is no tag", () => {
    refused(["tag"], "option.invalid", /nothing to change/);
    refused(["tag", "--set", "a", "--add", "b"], "option.invalid", /contradicts/);
    refused(["tag", "--add", "a,,b"], "option.invalid", /tags, separated by commas/);
    refused(["tag", "--add", "a", "beef"], "snapshot.not-found", /beef/);
    refused(["tag", "--add", "a", "--no-lock"], "option.invalid", /--no-lock/);
    assertUntouched();
  });

  it("takes all tags away with an empty --set", () => {
    assert.match(run("tag", "--set", "").stdout, /^changed the tags of 1 snapshot$/m);
    assert.ok(!run("snapshots", "--json").stdout.includes("tax"));
  });

  it("says how many it changed, and with -v which", () => {
    const { stdout } = run("tag", "--add", "a", "--host", "laptop", "-v");
    assert.equal(stdout.match(/^[0-9a-f]{8} is [0-9a-f]{8} now$/gm)?.length, 3);
    assert.match(stdout, /^changed the tags of 3 snapshots$/m);
    assert.equal(
      run("tag", "--add", "a", "--host", "laptop").stdout,
      "changed the tags of no snapshot\n",
    );
  });
});
