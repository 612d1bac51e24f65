import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertError } from "../drivers/assert-error.ts";
import { Client } from "../drivers/client.ts";
import { BindMount, MemoryDisk } from "../drivers/mounts.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";

/** A destination that has to be mounted: real mounts, and commands that make them. */
const scratch = scratchFolder("required-place");
const MiB = 1024 * 1024;
const source = makeFolder(scratch, "source");
writeFileSync(join(source, "file"), "contents\n");

/** A share with a repository, mounted at `point`, and taken away again. */
async function unmountedShare(): Promise<{ share: string; point: string; mount: BindMount }> {
  const folder = mkdtempSync(join(scratch, "share-"));
  const [share, point] = [makeFolder(folder, "share"), join(folder, "point")];
  await makeQuickRepository(join(share, "repository"));
  const mount = new BindMount(share, point);
  mount.vanish();
  return { share, point, mount };
}

function clientOn(point: string, settings: Readonly<Record<string, string>>): Client {
  const flags = Object.entries(settings).flatMap(([name, value]) => [
    "-o",
    `local.${name}=${value}`,
  ]);
  return new Client({ ...COMEBACK, flags }, join(point, "repository"));
}

/** A program of a test's own: a command that mounts, or does not. */
function program(text: string): string {
  const path = join(mkdtempSync(join(scratch, "program-")), "mount-it");
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

test("what is not mounted is not written to, and named", async () => {
  const { mount, point } = await unmountedShare();
  const client = clientOn(point, { "mount-point": point });
  for (const args of [["init"], ["backup", source], ["snapshots"]]) {
    const finished = await client.run(args);
    assertError(finished, {
      exitCode: 1,
      code: "backend.not-mounted",
      says: /is not a mount point/,
    });
    assert.deepEqual(readdirSync(point), []);
  }
  mount.attach();
  await client.backup([source]);
  assert.equal((await client.snapshots()).length, 1);
});

test("the mount command is run, once, and only where it is needed", async () => {
  const { share, point } = await unmountedShare();
  const log = join(share, "../log");
  const command = program(`echo "$@" >>${log}; mount --bind "$1" "$2"`);
  const client = clientOn(point, {
    "mount-point": point,
    "mount-command": `${command} '${share}' "${point}"`,
  });
  await client.backup([source]);
  await client.check();
  assert.equal(readFileSync(log, "utf8"), `${share} ${point}\n`);
});

test("a mount that comes after its command has ended is waited for", async () => {
  const { share, point } = await unmountedShare();
  const command = program(`(sleep 0.4; mount --bind "${share}" "${point}") >/dev/null 2>&1 &`);
  const client = clientOn(point, { "mount-point": point, "mount-command": command });
  await client.backup([source]);
});

test("a marker of the mounted disk, and not of what lies below it", async () => {
  const { share, point, mount } = await unmountedShare();
  const client = clientOn(point, { "mount-point": point, marker: ".comeback-here" });
  mount.attach();
  const says = /\.comeback-here is not there/;
  assertError(await client.run(["snapshots"]), { exitCode: 1, code: "backend.not-mounted", says });
  writeFileSync(join(share, ".comeback-here"), "");
  assert.deepEqual(await client.snapshots(), []);
});

test("the device it lies on", async () => {
  const folder = mkdtempSync(join(scratch, "device-"));
  const disk = new MemoryDisk(join(folder, "disk"), 64 * MiB);
  await makeQuickRepository(join(disk.folder, "repository"));
  assert.deepEqual(await clientOn(disk.folder, { device: "comeback-test" }).snapshots(), []);
  for (const device of ["UUID=0d6b7f4e-0000-4000-8000-000000000000", "nas:/export", "/dev/null"]) {
    const finished = await clientOn(disk.folder, { device }).run(["snapshots"]);
    const says = /lies on comeback-test, not on/;
    assertError(finished, { exitCode: 1, code: "backend.not-mounted", says });
  }
});

test("a repository that leads out of the mount is not in it", async () => {
  const { point, mount } = await unmountedShare();
  mount.attach();
  const elsewhere = mkdtempSync(join(scratch, "elsewhere-"));
  symlinkSync(elsewhere, join(point, "link"));
  const flags = ["-o", `local.mount-point=${point}`];
  const client = new Client({ ...COMEBACK, flags }, join(point, "link/repository"));
  const says = /is not below the mount point/;
  assertError(await client.run(["init"]), { exitCode: 1, code: "backend.not-mounted", says });
  assert.deepEqual(readdirSync(elsewhere), []);
});

test("a command that fails is told of, without its arguments", async () => {
  const { point } = await unmountedShare();
  const command = program('echo "first line" >&2; echo "server nas does not answer" >&2; exit 32');
  const client = clientOn(point, {
    "mount-point": point,
    "mount-command": `${command} password=secret-word`,
    "mount-wait": "300ms",
  });
  const finished = await client.run(["snapshots"]);
  const says = /mount-it failed \(exit code 32\): server nas does not answer/;
  assertError(finished, { exitCode: 1, code: "backend.not-mounted", says });
  assert.ok(!finished.stderr.includes("secret-word"), finished.stderr);
  const missing = clientOn(point, {
    "mount-point": point,
    "mount-command": "/nonexistent/program",
    "mount-wait": "100ms",
  });
  assertError(await missing.run(["snapshots"]), {
    exitCode: 1,
    code: "backend.not-mounted",
    says: /cannot run \/nonexistent\/program/,
  });
});

test("a command that does not end is stopped", async () => {
  const { point } = await unmountedShare();
  const pidFile = join(mkdtempSync(join(scratch, "pid-")), "pid");
  const command = program(`echo $$ >${pidFile}; exec sleep 1000`);
  const client = clientOn(point, {
    "mount-point": point,
    "mount-command": command,
    "mount-wait": "2s",
  });
  const finished = await client.run(["snapshots"]);
  const says = /did not end in time/;
  assertError(finished, { exitCode: 1, code: "backend.not-mounted", says });
  const pid = readFileSync(pidFile, "utf8").trim();
  await waitUntil("the command has ended", () => !existsSync(`/proc/${pid}`));
});

test("no shell sees the command", async () => {
  const { share, point } = await unmountedShare();
  const trap = join(share, "trap");
  const client = clientOn(point, {
    "mount-point": point,
    "mount-command": `true; touch ${trap} && touch ${trap} $(touch ${trap}) | touch ${trap}`,
    "mount-wait": "100ms",
  });
  assertError(await client.run(["snapshots"]), { exitCode: 1, code: "backend.not-mounted" });
  assert.ok(!existsSync(trap));
});
