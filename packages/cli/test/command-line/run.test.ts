import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { makeQuickRepository } from "./quick-repository.ts";
import {
  jsonLines,
  type Outcome,
  PASSWORD,
  runComeback,
  ScratchFolder,
  startComeback,
} from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());

/** A configuration in a place of its own; `$HERE` in it is that place. */
async function place(name: string, plans: string, repositories = ["nas"]) {
  const here = scratch.at(name);
  const source = join(here, "source");
  mkdirSync(source, { recursive: true });
  writeFileSync(join(source, "letter"), "dear all\n");
  writeFileSync(join(here, "key"), `${PASSWORD}\n`, { mode: 0o600 });
  for (const repository of repositories) await makeQuickRepository(join(here, repository));
  const destinations = repositories.map((one) => `  ${one}: { repo: $HERE/${one} }\n`).join("");
  const text = `state: $HERE/state
defaults: { destination: { password: { file: $HERE/key } } }
destinations:
${destinations}plans:
${plans}`;
  const config = join(here, "comeback.yaml");
  writeFileSync(config, text.replaceAll("$HERE", here), { mode: 0o600 });
  const env = { COMEBACK_PASSWORD: undefined, COMEBACK_CONFIG: config };
  return {
    here,
    source,
    env,
    run: (...args: string[]): Outcome => runComeback(args, { env }),
    start: (...args: string[]) => startComeback(args, { env }),
    snapshots: (repository = "nas"): Record<string, unknown>[] =>
      JSON.parse(
        runComeback(["-r", join(here, repository), "snapshots", "--json"]).stdout,
      ) as Record<string, unknown>[],
  };
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    assert.ok(tries < 3_000, `waited in vain: ${what}`);
    await sleep(10);
  }
}

/** Paths of a scratch folder are as long as they are; all else has to fit. */
function assertFits({ stdout, stderr }: Outcome): void {
  for (const line of `${stdout}\n${stderr}`.split("\n")) {
    if (!line.includes(scratch.path)) assert.ok(line.length <= 80, line);
  }
}

test("a run shows each stage with its time, and what became of each source", async () => {
  const long = "a-source-whose-name-is-as-long-as-a-name-may-be-which-is-sixty3";
  const { run, snapshots } = await place(
    "shown",
    `  shop:
    sources:
      ${long}: { files: $HERE/source }
      dump: { command: { run: seq 9000, filename: dump.sql } }
    to: [nas, usb]
    keep: { last: 1 }
`,
    ["nas", "usb"],
  );
  const first = run("run");
  assert.equal(first.exitCode, 0, first.stdout + first.stderr);
  assertFits(first);
  const stages = first.stdout.split("\n").filter((line) => /^ok {7}\w+ +\S/.test(line));
  const ends = stages.map((line) => line.search(/\d+\.\d+ s$/));
  assert.ok(stages.length >= 9, first.stdout);
  const short = stages.flatMap((line, at) => (line.includes(long.slice(0, 5)) ? [] : [ends[at]]));
  assert.equal(new Set(short).size, 1, "times stand below each other");
  assert.match(first.stdout, /^dump +full +[0-9a-f]{8} nas +1 +42\.\d KiB +[\d.]+ KiB +ok$/m);
  assert.match(first.stdout, /^ +[0-9a-f]{8} usb$/m);
  assert.match(first.stdout, /\nshop ok after [\d.]+ s\n$/);
  const verbose = run("run", "-v");
  assert.match(verbose.stdout, /1 file, 42\.\d KiB; \d+ B new, \d+ B stored/);
  assert.match(verbose.stdout, /2 snapshots stay|3 snapshots stay/);
  assertFits(verbose);
  assert.equal(run("run", "-q").stdout, "");
  assert.equal(snapshots("usb").length, 3);
  const messages = jsonLines(run("run", "--json").stdout);
  const types = new Set(messages.map((message) => message["message_type"]));
  assert.deepEqual([...types], ["run", "stage", "log", "summary"]);
  assert.equal(messages.at(-1)?.["outcome"], "ok");
});

test("what went wrong is in the exit code, the last line, and below its stage", async () => {
  const { run } = await place(
    "wrong",
    `  shop:
    sources:
      content: { files: $HERE/source }
      gone: { files: $HERE/nowhere }
      dump: { command: { run: "echo half; exit 3", filename: dump.sql } }
    to: nas
`,
  );
  const failed = run("run");
  assert.equal(failed.exitCode, 1);
  assertFits(failed);
  assert.match(failed.stdout, /^failed +capture +dump/m);
  assert.match(failed.stdout, /^ +\/bin\/sh failed: [^\n]*3/m);
  assert.match(failed.stdout, /^content +full .* ok$/m);
  assert.match(failed.stdout, /^dump +- +- .* failed$/m);
  assert.match(failed.stdout, /^shop failed after/m);
});

test("names that are wrong are told, and nothing has run", async () => {
  const { run, here } = await place(
    "names",
    `  one: { sources: { content: { files: $HERE/source } }, to: nas }
  two: { sources: { other: { files: $HERE/key } }, to: nas }
`,
  );
  const refused: [string[], RegExp][] = [
    [["onee"], /there is no plan onee \[plan\.not-found\]\n {2}next: there is one, two/],
    [["one", "--only", "contents"], /the plan one has no source contents[^]*it has content/],
    [["--only", "content"], /the plan two has no source content\b/],
    [["one", "--copies", "far"], /the plan one has no copy to far[^]*it has none/],
    [["one", "--only", "content", "--copies", "far"], /contradict each other/],
    [["one", "--type", "half"], /--type/],
  ];
  for (const [args, message] of refused) {
    const { exitCode, stderr } = run("run", ...args);
    assert.equal(exitCode, 1, stderr);
    assert.match(stderr, message);
  }
  assert.ok(!existsSync(join(here, "state/locks")));
});

test("a plan that is switched off runs by its name alone", async () => {
  const { run } = await place(
    "off",
    `  on: { sources: { content: { files: $HERE/source } }, to: nas }
  off: { enabled: false, sources: { other: { files: $HERE/key } }, to: nas }
`,
  );
  const all = run("run");
  assert.equal(all.exitCode, 0, all.stderr);
  assert.match(all.stdout, /^on ok after/m);
  assert.ok(!/^off ok/m.test(all.stdout));
  assert.match(run("run", "off").stdout, /^off ok after/m);
  const none = await place(
    "none",
    `  off: { enabled: false, sources: { a: { files: $HERE } }, to: nas }\n`,
  );
  assert.match(none.run("run").stderr, /every plan is switched off[^]*name one to run it: off/);
});

test("a plan runs once at a time: who comes second is told, and other plans run", async () => {
  const { run, start, here } = await place(
    "busy",
    `  slow:
    sources: { dump: { command: { run: "touch $HERE/begun; while [ ! -e $HERE/go ]; do sleep 0.05; done; echo x", filename: x } } }
    to: nas
  quick: { sources: { content: { files: $HERE/source } }, to: nas }
`,
  );
  const first = start("run", "slow");
  await until("it has begun", () => existsSync(join(here, "begun")));
  const second = run("run", "slow");
  assert.equal(second.exitCode, 75);
  assert.match(
    second.stderr,
    /slow is already running \[run\.busy\]\n {2}why: +process \d+ runs it/,
  );
  const both = run("run");
  assert.equal(both.exitCode, 75, "one was skipped, the other is done");
  assert.match(both.stdout, /^quick ok after/m);
  writeFileSync(join(here, "go"), "");
  assert.equal((await first.ended).exitCode, 0);
});

test("Ctrl-C in a run: it is undone, recorded, and the next one works", async () => {
  const { run, start, here, env } = await place(
    "interrupted",
    `  shop:
    maintenance: { enter: [{ command: touch $HERE/flag, undo: { command: rm $HERE/flag } }] }
    hooks: [{ on: failure, command: touch $HERE/told }]
    sources:
      dump: { command: { run: "touch $HERE/begun; [ -e $HERE/go ] || sleep 60; echo x", filename: x } }
    to: nas
`,
  );
  const running = start("run");
  await until("it has begun", () => existsSync(join(here, "begun")));
  assert.ok(existsSync(join(here, "flag")));
  running.child.kill("SIGINT");
  const { exitCode, stderr } = await running.ended;
  assert.equal(exitCode, 130, stderr);
  assert.match(stderr, /stopped before the end \[interrupted\]/);
  assert.ok(!existsSync(join(here, "flag")), "the service is back");
  assert.deepEqual(readdirSync(join(here, "nas/locks")), []);
  const status = JSON.parse(runComeback(["status", "--json"], { env }).stdout) as {
    plans: { state: { lastRun: { outcome: string; message: string } } }[];
    left_over: string[];
  };
  const { outcome, message } = status.plans[0]!.state.lastRun;
  assert.equal(outcome, "failed");
  assert.match(message, /stopped before the end/);
  assert.deepEqual(status.left_over, []);
  writeFileSync(join(here, "go"), "");
  const next = run("run");
  assert.equal(next.exitCode, 0, next.stdout + next.stderr);
});

test("a dry run leaves no trace, not even of the folders that it would need", async () => {
  const { run, here, snapshots } = await place(
    "dry",
    `  shop: { sources: { content: { files: $HERE/source } }, to: nas, keep: { last: 1 } }\n`,
  );
  const dry = run("run", "-n");
  assert.equal(dry.exitCode, 0, dry.stdout + dry.stderr);
  assert.match(dry.stdout, /^content +full +- +1 +9 B /m);
  assert.ok(!existsSync(join(here, "state")));
  assert.deepEqual(snapshots(), []);
});

test("a catalog that is no database costs the history, and the backup is made", async () => {
  const { run, here, snapshots } = await place(
    "catalog",
    `  shop: { sources: { content: { files: $HERE/source } }, to: nas, keep: { last: 1 } }\n`,
  );
  assert.equal(run("run", "-q").exitCode, 0);
  rmSync(join(here, "state"), { recursive: true });
  mkdirSync(join(here, "state/catalog.sqlite"), { recursive: true });
  const { exitCode, stdout, stderr } = run("run");
  assert.equal(exitCode, 3, stdout + stderr);
  assert.match(stdout, /the catalog cannot be used:/);
  // What was there before nobody can say: so nothing is removed.
  assert.equal(snapshots().filter(({ tags }) => String(tags).includes("source:content")).length, 2);
});

test("plan retention shows the coming time within 80 columns, and in JSON", async () => {
  const { run } = await place(
    "preview",
    `  shop:
    schedule: { full: monthly 1 01:00, incremental: daily 01:00 }
    sources: { content: { files: $HERE/source }, other: { files: $HERE/key } }
    to: nas
    keep: { last: 3, daily: 7, weekly: 4, monthly: 6 }
    copies: [{ from: nas, to: usb, only: { types: full }, keep: { monthly: 12 } }]
`,
    ["nas", "usb"],
  );
  assert.equal(run("run", "-q").exitCode, 0);
  const text = run("plan", "retention", "--preview", "120d");
  assert.equal(text.exitCode, 0, text.stderr);
  assertFits(text);
  assert.match(text.stdout, /^shop: 120 runs from /);
  assert.match(text.stdout, /^nas, each of content, other: \d+ snapshots at the end$/m);
  assert.match(text.stdout, /^usb, each of content, other: [45] snapshots at the end$/m);
  assert.match(text.stdout, /^Week of +Made +Removed +Kept$/m);
  const there = run("plan", "retention", "shop", "--preview", "1d", "--from-repository");
  assert.match(there.stdout, /full +.*yes$/m);
  const json = run("plan", "retention", "--json", "--preview", "1y");
  const [message] = jsonLines(json.stdout);
  assert.ok([365, 366].includes(message!["runs"] as number));
  assert.match(run("plan", "retention", "--preview", "soon").stderr, /--preview cannot be "soon"/);
  const none = await place("unscheduled", `  a: { sources: { a: { files: $HERE } }, to: nas }\n`);
  assert.match(none.run("plan", "retention").stderr, /there is no schedule to look ahead on/);
});
