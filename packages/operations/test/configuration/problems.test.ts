import assert from "node:assert/strict";
import { after, test } from "node:test";
import { problemsOf, ScratchFolder, VALID } from "./scratch.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());

function shown(problems: Awaited<ReturnType<typeof problemsOf>>): string[] {
  return problems.map(
    ({ line, column, message, suggestion }) =>
      `${line}:${column} ${message}${suggestion === undefined ? "" : ` → ${suggestion}`}`,
  );
}

/** One edit of the valid text, and what is said of it. */
const CASES: readonly {
  readonly name: string;
  readonly edit: readonly [string, string];
  readonly says: readonly RegExp[];
}[] = [
  {
    name: "a key with letters swapped",
    edit: ["schedule: daily 02:00", "shcedule: daily 02:00"],
    says: [/^13:5 found "shcedule"; accepted here: schedule, .* → schedule$/],
  },
  {
    name: "a source's kind with a letter missing",
    edit: ["{ files: /srv/shop }", "{ fles: /srv/shop }"],
    says: [/^15:18 found "fles"; accepted here: files, .* → files$/],
  },
  {
    name: "a destination that is not there",
    edit: ["to: nas\n", "to: nsa\n"],
    says: [
      /^17:9 no destination is called "nsa"; there is nas, cloud → nas$/,
      /^18:22 nothing of this plan comes to "nas"; there is nsa$/,
    ],
  },
  {
    name: "a channel that is not there",
    edit: ["notify: ops", "notify: opps"],
    says: [/^20:13 no channel is called "opps"; there is ops → ops$/],
  },
  {
    name: "a path that is not absolute",
    edit: ["files: /srv/shop", "files: srv/shop"],
    says: [/^15:25 found "srv\/shop"; a path is absolute/],
  },
  {
    name: "a path in a list that is no text",
    edit: ["files: /srv/shop", "files: [/srv/shop, 3]"],
    says: [/^15:37 found 3; accepted: text$/],
  },
  {
    name: "a number where there is a mapping",
    edit: ["keep: { last: 2, daily: 15 }", "keep: 7"],
    says: [/^19:11 found 7; accepted: a mapping$/],
  },
  {
    name: "too many retries",
    edit: ["count: 2", "count: 200"],
    says: [/^16:64 found 200; it has to be <=20$/],
  },
  {
    name: "a rule of keep that is none",
    edit: ["daily: 15", "dayly: 15"],
    says: [/^19:22 found "dayly"; accepted here: hourly, .* → daily$/],
  },
  {
    name: "a count that is no number",
    edit: ["daily: 15", "daily: many"],
    says: [/^19:29 found "many"; this is a number, or "all"$/],
  },
  {
    name: "a repository that is missing",
    edit: ["    repo: /mnt/nas/comeback\n", ""],
    says: [/^2:3 "repo" is missing$/],
  },
  {
    name: "rules that keep nothing",
    edit: ["{ monthly: 12 }", "{ monthly: 0, within: 0d }"],
    says: [/^18:38 these rules keep nothing/],
  },
  {
    name: "a span of time that is none",
    edit: ["{ monthly: 12 }", "{ within: 14x }"],
    says: [/^18:54 found "14x"; a span of time is/],
  },
  {
    name: "a copy to what the plan writes",
    edit: ["copies: [", "copies: [{ from: cloud, to: nas }, "],
    says: [
      /^18:33 these copies go round in a circle: nas → cloud → nas|cloud → nas → cloud$/,
      /^18:57 these copies go round in a circle/,
    ],
  },
  {
    name: "a copy from nowhere",
    edit: ["{ from: nas,", "{ from: cloud,"],
    says: [/^18:33 these copies go round in a circle: cloud → cloud$/],
  },
  {
    name: "two destinations in one place",
    edit: ["repo: s3:https://s3.example.com/bucket", "repo: local:/mnt/nas/../nas/comeback/"],
    says: [/^6:11 this place is "nas" already$/],
  },
  {
    name: "a mount for what is no folder",
    edit: [
      "    password: { env: CLOUD_PASSWORD }",
      "    password: { env: C }\n    mount: { point: /x }",
    ],
    says: [/^8:5 a mount is for a repository in a folder/],
  },
  {
    name: "two kinds of a source",
    edit: ["{ files: /srv/shop }", "{ files: /srv/shop, postgres: {} }"],
    says: [/^15:7 a source is of one kind, and this says files and postgres$/],
  },
  {
    name: "the same paths twice",
    edit: ["      db:", "      again: { files: [/srv/shop/] }\n      db:"],
    says: [/^16:7 "shop\.content" writes the same to "nas" already/],
  },
  {
    name: "a key twice",
    edit: ["    to: nas\n", "    to: nas\n    to: cloud\n"],
    says: [/^18:5 "to" stands here twice$/],
  },
  {
    name: "a bracket that is never closed",
    edit: ["[shop]", "[shop"],
    says: [/^16:\d+ this is not right in YAML/],
  },
  {
    name: "an alias without its anchor",
    edit: ["to: nas\n", "to: *nas\n"],
    says: [/^17:9 no anchor of this name stands before this/],
  },
  {
    name: "a name that no object can hold",
    edit: ["  nas:\n", "  __proto__:\n"],
    says: [/^2:3 this cannot be a key$/],
  },
  {
    name: "a name with a space",
    edit: ["  shop:\n", "  my shop:\n"],
    says: [/^12:3 a name is of letters/],
  },
  {
    name: "a size and a time zone that are none",
    edit: ["destinations:\n", "timezone: Europe/Wien\ndestinations:\n"],
    says: [/^1:11 found "Europe\/Wien"; no such time zone/],
  },
  {
    name: "a duration in words",
    edit: ["    to: nas\n", "    to: nas\n    timeout: 3 hours\n"],
    says: [/^18:14 found "3 hours"; a duration is written as/],
  },
  {
    name: "a kind of compression that is none",
    edit: ["    repo: /mnt/nas/comeback\n", "    repo: /mnt/nas/comeback\n    compression: atuo\n"],
    says: [/^4:18 found "atuo"; accepted: auto, off, .* → auto$/],
  },
];

for (const { name, edit, says } of CASES) {
  test(`${name} is refused where it stands`, async () => {
    assert.ok(VALID.includes(edit[0]));
    const path = scratch.write("comeback.yaml", VALID.replace(edit[0], edit[1]));
    const problems = await problemsOf(path);
    const lines = shown(problems);
    assert.equal(lines.length, says.length, lines.join("\n"));
    for (const [place, pattern] of says.entries()) assert.match(lines[place]!, pattern);
    for (const problem of problems) assert.equal(problem.file, path);
  });
}

test("all problems are told at once, in their order", async () => {
  const text = VALID.replace("repo: /mnt", "rebo: /mnt")
    .replace("daily: 15", "dialy: 15")
    .replace("count: 2", "cuont: 2");
  const problems = await problemsOf(scratch.write("comeback.yaml", text));
  assert.deepEqual(
    problems.map(({ line, suggestion }) => [line, suggestion]),
    [
      [3, "repo"],
      [16, "count"],
      [19, "daily"],
    ],
  );
});

test("a trigger is shown to whoever understands it", async () => {
  const path = scratch.write("comeback.yaml", VALID);
  const problems = await problemsOf(path, (text) => `"${text}" is no trigger`);
  assert.deepEqual(shown(problems), ['13:15 "daily 02:00" is no trigger']);
});

test("the excerpt shows the line and the part that is meant", async () => {
  const path = scratch.write("comeback.yaml", VALID.replace("to: nas\n", "to: nsa\n"));
  const [problem] = await problemsOf(path);
  assert.deepEqual(problem?.excerpt, { text: "    to: nsa", start: 8, length: 3 });
});

test("a secret that was written into the file is never shown", async () => {
  const edits: readonly (readonly [string, string])[] = [
    ["{ file: /etc/comeback/key }", "hunter2"],
    ["password: { file: /etc/comeback/key }", "pasword: hunter2"],
    ["password: { file: /etc/comeback/key }", "password: { pasword: hunter2 }"],
    ["password: { file: /etc/comeback/key }", 'password: "hunter2'],
    ["{ env: TOKEN }", "hunter2"],
    ["AWS_SECRET_ACCESS_KEY: { file: /etc/comeback/aws }", "AWS_SECRET_ACCESS_KEY: [hunter2]"],
    ["s3:https://s3.example.com/bucket", "rest:https://me:hunter2@example.com/"],
    ["postgres: { databases: [shop] }", "postgres: { url: postgres://me:hunter2@db/x }"],
    ["    repo: /mnt/nas/comeback\n", "    repo: /mnt/nas\n    options: { s3.x: [hunter2] }\n"],
    ["password: { file: /etc/comeback/key }", "p@ss: hunter2"],
    ["password: { file: /etc/comeback/key }", "password: !hunter2"],
    ["password: { file: /etc/comeback/key }", "password: *hunter2"],
    ["password: { file: /etc/comeback/key }", "password: |hunter2"],
    ["password: { file: /etc/comeback/key }", "password: @hunter2"],
    ["password: { file: /etc/comeback/key }", "password:\n      hunter2\n      : x"],
    ["{ telegram: { token: { env: TOKEN }, chat", "{ telegram: { t0ken: hunter2, chat: 3 }, chat"],
    ["{ telegram: { token: { env: TOKEN }, chat: 12345 } }", "{ slack: { url: [hunter2] }, x: 1 }"],
  ];
  for (const edit of edits) {
    assert.ok(VALID.includes(edit[0]), edit[0]);
    const path = scratch.write("comeback.yaml", VALID.replace(edit[0], edit[1]));
    const problems = await problemsOf(path);
    assert.ok(!JSON.stringify(problems).includes("hunter2"), JSON.stringify([edit, problems]));
    assert.ok(problems.length > 0);
  }
});

test("aliases that grow into thousands of values are refused", async () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 9; level++) {
    const alias = `*a${level - 1}`;
    lines.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => alias).join(", ")}]`);
  }
  const problems = await problemsOf(scratch.write("comeback.yaml", `${lines.join("\n")}\n`));
  assert.match(problems[0]?.message ?? "", /more than 50000 values here/);
  const itself = await problemsOf(scratch.write("comeback.yaml", "plans: &x\n  a: *x\n"));
  assert.match(itself[0]?.message ?? "", /this alias holds itself/);
});

test("brackets by the thousand are refused", async () => {
  const text = `plans: ${"[".repeat(20_000)}${"]".repeat(20_000)}\n`;
  const problems = await problemsOf(scratch.write("comeback.yaml", text));
  assert.equal(problems.length, 1);
});
