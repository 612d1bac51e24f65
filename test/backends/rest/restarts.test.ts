import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import { Client } from "../../drivers/client.ts";
import { Corpus } from "../../drivers/corpus.ts";
import { freePorts } from "../../drivers/free-ports.ts";
import { assertSameTree } from "../../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../../drivers/tools.ts";
import { waitUntil } from "../../drivers/wait-until.ts";
import { startRcloneServer, startRestServer } from "../../services/rclone/rest-servers.ts";

const scratch = scratchFolder("rest-restarts");
const user = { name: "ada", password: "s3cret-of-ada" };

function packsIn(data: string): number {
  const names = readdirSync(data, { recursive: true, encoding: "utf8" });
  return names.filter((name) => /data\/[0-9a-f]{2}\/[0-9a-f]{64}$/.test(name)).length;
}

for (const start of [startRestServer, startRcloneServer]) {
  test(`a server that is killed and comes back in the middle of a backup: ${start.name}`, async () => {
    const place = makeFolder(scratch, start.name);
    const data = makeFolder(place, "data");
    const [port = 0] = await freePorts(1);
    const source = join(place, "source");
    const corpus = new Corpus(source, new SeededRandom(721), { small: 300, large: 40 });
    let server = await start({ data, port, user });
    const ours = new Client(COMEBACK, `${server.url}/laptop/`);
    await ours.done(["init"]);

    const running = ours.start(["backup", "--json", "."], { cwd: source });
    await waitUntil("some packs are stored", () => packsIn(data) >= 3);
    await server.process.kill();
    server = await start({ data, port, user });
    const first = await running.finished;
    // Either it went on, or it says what happened; never does it claim what is not so.
    if (first.exitCode !== 0) {
      assert.equal(first.exitCode, 1, first.describe());
      assert.match(first.stderr, /backend\.unreachable/, first.describe());
    }
    assert.ok(!first.describe().includes(user.password) || isOnlyItsCommand(first.describe()));

    corpus.change(10);
    await ours.backup(["."], { cwd: source });
    await ours.check();
    await new Client(RESTIC_018, ours.repository).check();
    await ours.restore("latest", join(place, "back"));
    assertSameTree(source, join(place, "back"), { tops: false });
    await server[Symbol.asyncDispose]();
  });
}

/** The first line of a description is the command, which the test itself gave the password to. */
function isOnlyItsCommand(description: string): boolean {
  return !description.split("\n").slice(1).join("\n").includes(user.password);
}

test("passwords are in no output, and not in the list of processes", async () => {
  const place = makeFolder(scratch, "secrets");
  const source = join(place, "source");
  const made = new Corpus(source, new SeededRandom(722), { small: 30, large: 2 });
  await using server = await startRestServer({ data: join(place, "data"), user });
  const hidden = server.url.replace(/\/\/.*@/, "//");
  const env = { COMEBACK_REST_USERNAME: user.name, COMEBACK_REST_PASSWORD: user.password };
  const ours = new Client(COMEBACK, `${hidden}/laptop/`);
  const shown = new Client(COMEBACK, `${server.url}/laptop/`);
  const outputs: string[] = [];
  const keep = (text: string): void => void outputs.push(text);

  for (const command of [["init"], ["init"], ["backup", "-vv", made.folder], ["snapshots"]]) {
    for (const extra of [[], ["--json"]]) {
      const isQuiet = command.includes("-vv") && extra.length > 0;
      const { stdout, stderr } = await ours.run([...command, ...(isQuiet ? [] : extra)], { env });
      keep(`${stdout.toString()}${stderr}`);
    }
  }
  const running = ours.start(["backup", "--force", made.folder], { env });
  const commands = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  for (const name of commands) {
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8");
      if (command.includes("/laptop/")) keep(command);
    } catch {
      // It has ended since.
    }
  }
  keep((await running.finished).stderr);
  // In the URL it is the user who shows it; we do not repeat it.
  for (const args of [
    ["snapshots"],
    ["snapshots", "--json"],
    ["cat", "nothing"],
    ["check", "-v"],
  ]) {
    const { stdout, stderr } = await shown.run(args);
    keep(`${stdout.toString()}${stderr}`);
  }
  // Refused at once, where a server that is gone would be waited for.
  const nobody = { ...env, COMEBACK_REST_USERNAME: "nobody" };
  const { stdout, stderr } = await ours.run(["snapshots", "--json"], { env: nobody });
  assert.match(stderr, /backend\.credentials/);
  keep(`${stdout.toString()}${stderr}`);
  assert.ok(outputs.join("").length > 1000);
  for (const output of outputs) assert.ok(!output.includes(user.password), output);
});
