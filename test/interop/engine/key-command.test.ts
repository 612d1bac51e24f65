import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertError } from "../../drivers/assert-error.ts";
import { Client } from "../../drivers/client.ts";
import { memoryFolder } from "../../drivers/scratch.ts";
import { COMEBACK, RESTIC_014, RESTIC_018, RESTICS } from "../../drivers/tools.ts";
import { waitUntil } from "../../drivers/wait-until.ts";
import { initCheaply } from "./open-repository.ts";

/** Keys that each tool makes, changes and removes open with the other. */
const folder = memoryFolder("key-command");

interface KeyJson {
  readonly current: boolean;
  readonly id: string;
  readonly userName: string;
  readonly hostName: string;
  readonly created: string;
}

function passwordFile(name: string, password: string): string {
  const path = join(folder, name);
  writeFileSync(path, `${password}\n`);
  return path;
}

test("three programs add, list, change and remove keys in one repository", async () => {
  const location = join(folder, "shared");
  await initCheaply(location, 2);
  const [ours, old, current] = [COMEBACK, RESTIC_014, RESTIC_018].map(
    (tool) => new Client(tool, location),
  ) as [Client, Client, Client];
  // restic takes a second or more for each key that it makes.
  const added = { ours: "unser Schlüßel", theirs: "their key" };
  const owner = ["--user", "ann", "--host", "nas"];
  const from = (name: string, password: string): string[] => [
    "--new-password-file",
    passwordFile(name, password),
  ];
  await ours.done(["key", "add", ...owner, ...from("a", added.ours)]);
  await old.done(["key", "add", ...owner, ...from("b", added.theirs)]);

  const lists: KeyJson[][] = [];
  for (const tool of [COMEBACK, ...RESTICS]) {
    const keys = await new Client(tool, location, added.ours).json<KeyJson[]>(["key", "list"]);
    // restic 0.14 gives the first digits only.
    const short = keys.map((key) => ({ ...key, id: key.id.slice(0, 8) }));
    lists.push(short.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
  }
  assert.deepEqual(lists[0], lists[1]);
  assert.deepEqual(lists[0], lists[2]);
  assert.equal(lists[0]?.length, 3);

  // Each changes the password of a key that the other made.
  const changed = { ours: "unser neuer", theirs: "their new one" };
  const command = `cat "${passwordFile("c", changed.theirs)}"`;
  const newPassword = ["--new-password-command", command];
  await new Client(COMEBACK, location, added.theirs).done(["key", "passwd", ...newPassword]);
  const passwd = ["key", "passwd", ...from("d", changed.ours)];
  await new Client(RESTIC_018, location, added.ours).done(passwd);
  for (const [tool, whose] of [
    [COMEBACK, "ours"],
    [RESTIC_014, "theirs"],
    [RESTIC_018, "theirs"],
  ] as const) {
    const before = await new Client(tool, location, added[whose]).run(["cat", "config"]);
    assert.notEqual(before.exitCode, 0);
    await new Client(tool, location, changed[whose]).done(["cat", "config"]);
  }

  const keys = await ours.json<KeyJson[]>(["key", "list"]);
  const inUse = keys.find((key) => key.current)?.id ?? "";
  const refused = { exitCode: 1, code: "key.in-use" };
  assertError(await ours.run(["key", "remove", inUse.slice(0, 10)]), refused);
  const [one = "", other = ""] = keys.filter((key) => !key.current).map(({ id }) => id);
  await ours.done(["key", "remove", one.slice(0, 12)]);
  await current.done(["key", "remove", other]);
  assert.deepEqual(readdirSync(join(location, "keys")), [inUse]);
  await current.check();
});

test("a password is in no argument, no output and no error", async () => {
  const location = join(folder, "secret");
  await initCheaply(location, 2);
  const secret = "s3cret that nobody may see";
  const client = new Client(COMEBACK, location);
  const path = passwordFile("secret-file", secret);
  const gate = join(folder, "gate");
  // The command waits, so that the process can be looked at while it has asked for the password.
  const command = `sh -c 'while [ ! -e "${gate}" ]; do sleep 0.01; done; cat "${path}"'`;
  const running = client.start(["key", "add", "-vv", "--new-password-command", command], {
    env: { COMEBACK_DEBUG: "1" },
  });
  await waitUntil("the lock", () => readdirSync(join(location, "locks")).length > 0);
  const seen = ["cmdline", "environ"].map((name) => readFileSync(`/proc/${running.pid}/${name}`));
  for (const bytes of seen) assert.ok(!bytes.includes(secret));
  writeFileSync(gate, "");
  const finished = await running.finished;
  assert.equal(finished.exitCode, 0, finished.describe());
  const outputs = [finished];
  outputs.push(
    await client.run(["key", "add", "--new-password-command", `sh -c 'echo "${secret}"; exit 3'`]),
  );
  outputs.push(await client.run(["key", "list", "--new-password-file", path]));
  outputs.push(
    await client.run(["key", "passwd"], {
      env: { RESTIC_PASSWORD: undefined },
      input: `${secret}\n`,
    }),
  );
  for (const { stdout, stderr } of outputs) {
    assert.ok(!(stdout.toString() + stderr).includes(secret));
  }
  assert.deepEqual(
    outputs.map(({ exitCode }) => exitCode),
    [0, 1, 1, 1],
  );
});

test("nobody takes keys away while others are at work", async () => {
  const location = join(folder, "locked");
  await initCheaply(location, 2);
  const client = new Client(COMEBACK, location);
  const path = passwordFile("other", "other");
  await client.done(["key", "add", "--new-password-file", path]);
  const running = client.start(["backup", "--stdin"], { inputStaysOpen: true });
  running.child.stdin?.write("something");
  await waitUntil("the lock", () => readdirSync(join(location, "locks")).length > 0);
  const keys = await client.json<KeyJson[]>(["key", "list"]);
  const other = keys.find(({ current }) => !current)?.id ?? "";
  const refused = { exitCode: 11, code: "repository.locked", says: /comeback unlock/ };
  assertError(await client.run(["key", "remove", other]), refused);
  assertError(await client.run(["key", "passwd", "--new-password-file", path]), refused);
  running.child.stdin?.end();
  assert.equal((await running.finished).exitCode, 0);
  await client.done(["key", "remove", other]);
});
