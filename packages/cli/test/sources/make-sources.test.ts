import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { snapshotter, source } from "@comeback/operations";
import { systemClock, systemCommandRunner } from "@comeback/platform";
import { type ReadSource, readSource } from "@comeback/testkit";
import { makeProtectedSource } from "../../src/sources/make-protected-source.ts";
import { makeSnapshotter } from "../../src/sources/make-snapshotter.ts";
import type { SourceServices } from "../../src/sources/source-services.ts";

const { signal } = new AbortController();
const services: SourceServices = {
  runner: systemCommandRunner,
  clock: systemClock,
  resolveSecret: async (value) => (typeof value === "string" ? value : `the secret`),
};

async function readFrom(settings: unknown): Promise<ReadSource> {
  const protectedSource = makeProtectedSource(source.parse(settings), services);
  const time = { seconds: 1, nanoseconds: 0 };
  await using pinned = await protectedSource.pin({ time, signal, onLine() {} });
  return await readSource(pinned.source);
}

test("files by their options, and reports beside them", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "comeback-make-sources-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const excludes = join(folder, "excludes");
  writeFileSync(excludes, "*.log\n");
  for (const name of ["a.txt", "b.tmp", "C.BAK", "d.log"]) writeFileSync(join(folder, name), name);
  writeFileSync(join(folder, "large"), "x".repeat(2000));
  const options = {
    paths: folder,
    exclude: "*.tmp",
    iexclude: ["*.bak"],
    "exclude-file": [excludes],
    "exclude-larger-than": "1k",
  };
  const files = [join(folder, "a.txt"), excludes];
  assert.deepEqual([...(await readFrom({ files: options })).contents.keys()], files);
  const commands = { own: "echo told" };
  const configuration = await readFrom({
    configuration: { ...options, reports: ["mounts"], commands },
  });
  assert.deepEqual(
    [...configuration.contents.keys()],
    ["/comeback-report/mounts.txt", "/comeback-report/own.txt", ...files],
  );
});

test("a command with its environment and its exit codes", async () => {
  const command = {
    run: 'echo "$PLAIN, $SECRET"; exit 3',
    filename: "db/dump.sql",
    environment: { PLAIN: "text", SECRET: { env: "SECRET" } },
    "exit-codes": 3,
  };
  const { contents } = await readFrom({ command });
  assert.equal(contents.get("/db/dump.sql")?.toString(), "text, the secret\n");
});

test("a PostgreSQL cluster, of which nothing is asked before the run", async () => {
  const settings = source.parse({ postgres: { url: "postgres://me@127.0.0.1:1/" } });
  const protectedSource = makeProtectedSource(settings, services);
  assert.deepEqual([protectedSource.kind, protectedSource.pinsMoment], ["postgres", true]);
  const findings = await protectedSource.probe({ signal });
  assert.deepEqual(
    findings.map(({ state }) => state),
    ["failed"],
  );
});

test("a snapshotter by commands", async () => {
  const command = {
    create: `printf '/srv\\t/\\n'`,
    remove: "true",
    timeout: "10s",
  };
  const made = makeSnapshotter(snapshotter.parse({ command }), services);
  const planned = await made.plan({ paths: ["/srv"], runId: "r" }, signal);
  assert.equal((await made.create(planned, signal)).pathOf("/srv/etc"), "/etc");
  await made.remove(planned.token, signal);
});
