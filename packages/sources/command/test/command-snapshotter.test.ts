import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isComebackError, SNAPSHOT_BUSY_PAUSE_MS, SNAPSHOT_BUSY_TRIES_MAX } from "@comeback/core";
import { systemClock, systemCommandRunner as runner } from "@comeback/platform";
import { SimulatedClock, snapshotterConformance } from "@comeback/testkit";
import { commandSnapshotter } from "../src/index.ts";
import { parseFrozenPaths } from "../src/frozen-paths.ts";

function script(path: string, body: string): readonly [string] {
  writeFileSync(path, `#!/bin/sh\nset -e\n${body}\n`, { mode: 0o755 });
  return [path];
}

snapshotterConformance("command", async () => {
  const folder = mkdtempSync(join(tmpdir(), "comeback-snapshotter-"));
  const [live, frozen] = [join(folder, "live"), join(folder, "frozen")];
  mkdirSync(live);
  mkdirSync(frozen);
  writeFileSync(join(live, "file"), "first");
  const own = `${frozen}/$COMEBACK_RUN_ID`;
  const create = script(
    join(folder, "create"),
    `grep -q '^\\["${live}"\\]$'
     cp -a ${live} ${own}
     if [ -e ${folder}/break ]; then rm ${folder}/break; echo no room >&2; exit 1; fi
     printf '%s\\t%s\\n' ${live} "${own}"`,
  );
  const snapshotter = commandSnapshotter({
    create,
    remove: script(join(folder, "remove"), `cat > /dev/null; rm -rf "${own}"`),
    verify: script(join(folder, "verify"), `test -e "${own}/file"`),
    timeoutMs: 60_000,
    runner,
    clock: systemClock,
  });
  return {
    snapshotter,
    paths: [live],
    file: join(live, "file"),
    change: async (content) => writeFileSync(join(live, "file"), content),
    leftovers: async () => readdirSync(frozen),
    breakCreate: async () => writeFileSync(join(folder, "break"), ""),
    breakView: async () => {
      for (const name of readdirSync(frozen)) rmSync(join(frozen, name, "file"));
    },
    breakAll: async () => rmSync(create[0]),
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
  };
});

const { signal } = new AbortController();

function shell(line: string): readonly [string, string, string] {
  return ["/bin/sh", "-c", line];
}

const defaults = {
  create: shell('echo "{\\"/srv\\": \\"/\\"}"'),
  remove: shell("true"),
  timeoutMs: 60_000,
  runner,
  clock: systemClock,
};
const request = { paths: ["/srv"], runId: "run-1" };

test("what create prints is a JSON object, or lines with a tab", () => {
  for (const printed of ['{"/srv/": "/mnt/a/", "/var": "/"}', "/srv\t/mnt/a\n\n/var\t/\n"]) {
    const view = parseFrozenPaths(printed, ["/srv", "/var/lib"]);
    assert.equal(view.pathOf("/srv"), "/mnt/a");
    assert.equal(view.pathOf("/srv/shop/b"), "/mnt/a/shop/b");
    assert.equal(view.pathOf("/var/lib"), "/lib");
    assert.equal(view.pathOf("/var"), "/");
    assert.throws(() => view.pathOf("/srvx"));
  }
  assert.equal(parseFrozenPaths("/\t/mnt", ["/"]).pathOf("/a/b"), "/mnt/a/b");
});

test("what is no answer is refused, with what an answer looks like", () => {
  for (const printed of ["", "{", "[]", '{"/srv": 1}', "/srv /mnt", "/srv\tmnt", "/other\t/mnt"]) {
    assert.throws(
      () => parseFrozenPaths(printed, ["/srv"]),
      (error) => isComebackError(error, "snapshotter.failed") && error.next !== undefined,
      printed,
    );
  }
});

test("a view that shows nothing is refused, and removed at once", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "comeback-snapshotter-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const removed = join(folder, "removed");
  const snapshotter = commandSnapshotter({
    ...defaults,
    create: shell("printf '/srv\\t/no/such/folder\\n'"),
    remove: shell(`cat > ${removed}`),
  });
  const planned = await snapshotter.plan(request, signal);
  await assert.rejects(snapshotter.create(planned, signal), (error) =>
    isComebackError(error, "snapshotter.failed"),
  );
  assert.equal(readFileSync(removed, "utf8"), '["/srv"]\n');
});

test("a snapshot that is busy is removed later, and given up after a while", async () => {
  const clock = new SimulatedClock();
  const snapshotter = commandSnapshotter({
    ...defaults,
    remove: shell("echo in use >&2; exit 75"),
    clock,
  });
  const removing = snapshotter.remove({ ...request }, signal);
  removing.catch(() => undefined);
  for (let tries = 1; tries < SNAPSHOT_BUSY_TRIES_MAX; tries++) {
    while (clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(SNAPSHOT_BUSY_PAUSE_MS);
  }
  await assert.rejects(removing, (error) => {
    assert.ok(isComebackError(error, "snapshotter.failed"));
    assert.match(error.why ?? "", /exit code 75: in use/);
    return true;
  });
});

test("any other failure to remove is told at once, and so is a token that is none", async () => {
  const snapshotter = commandSnapshotter({ ...defaults, remove: shell("exit 1") });
  for (const token of [{ ...request }, null, "x", { runId: 1, paths: [] }]) {
    await assert.rejects(snapshotter.remove(token, signal), (error) =>
      isComebackError(error, "snapshotter.failed"),
    );
  }
});

test("a command that takes too long is ended", async () => {
  const snapshotter = commandSnapshotter({
    ...defaults,
    create: shell("sleep 1000"),
    timeoutMs: 50,
  });
  const planned = await snapshotter.plan(request, signal);
  await assert.rejects(snapshotter.create(planned, signal), (error) => {
    assert.ok(isComebackError(error, "snapshotter.failed"));
    assert.match(error.message, /took too long/);
    return true;
  });
});
