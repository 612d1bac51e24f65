import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { HttpStandIn, SeededRandom, telegramApi } from "@comeback/testkit";
import { startPlace } from "../backends/sftp/sftp-fixture.ts";
import { Client } from "../drivers/client.ts";
import { Guide } from "../drivers/guide.ts";
import { requireRoot } from "../drivers/mounts.ts";
import { PlanProgram, type PlanRunOptions, type RunSeen } from "../drivers/plan-program.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { RESTIC_018 } from "../drivers/tools.ts";

/**
 * docs/guides/proxmox-node.md. Real: the mount (a bind mount in the place of the cloud's folder), sshd, the three
 * repositories. Stand-ins: vzdump, qm and pct, which need a Proxmox node, and Telegram's Bot API.
 */
const FIRST_NIGHT = Date.parse("2026-03-02T00:00:00Z");
const DAY_MS = 24 * 3600 * 1000;
const PLACES = ["local", "cloud", "vault"] as const;
const GUESTS = ["101", "102", "103"];
const TOKEN = "123456:AAE-token_of_the_bot";

requireRoot();
const cloud = { point: "", behind: "" };
after(() => spawnSync("umount", ["-l", cloud.point], { stdio: "ignore" }));
const folder = scratchFolder("node");
cloud.point = makeFolder(folder, "mnt", "cloud");
cloud.behind = makeFolder(folder, "behind");
const random = new SeededRandom(531);
const told: string[] = [];
const telegram = await HttpStandIn.start(
  telegramApi({ token: TOKEN, chat: "-1001234567890" }, told),
);
after(() => telegram[Symbol.asyncDispose]());
const ssh = await startPlace("node-ssh");

const repositories = {
  local: join(folder, "local"),
  cloud: join(cloud.behind, "comeback"),
  vault: join(makeFolder(ssh.folder, "vault"), "node"),
};
const guests = makeFolder(folder, "guests");
const bin = makeFolder(folder, "bin");

function script(name: string, text: string): string {
  const path = join(bin, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** As vzdump is called and answers: the guest on standard output, the rest on standard error. */
script(
  "vzdump",
  `[ "$2 $3 $4 $5 $6" = "--mode snapshot --compress 0 --stdout" ] || exit 2
echo "INFO: starting new backup job: vzdump $*" >&2
if [ -e '${guests}'/$1.broken ]; then
  head -c 100000 '${guests}'/$1
  echo "ERROR: Backup of VM $1 failed - no such volume 'local-lvm:vm-$1-disk-0'" >&2
  exit 255
fi
exec cat '${guests}'/$1`,
);
script("qm", 'echo "101 web running"');
script("pct", 'echo "103 running mail"');
const isMountable = join(folder, "mountable");
const mountCommand = script(
  "mount-cloud",
  `[ -e '${isMountable}' ] || { echo "mount: can't find the cloud" >&2; exit 32; }
exec mount --bind '${cloud.behind}' '${cloud.point}'`,
);

const etc = makeFolder(folder, "node-etc");
writeFileSync(join(etc, "hostname"), "node\n");
writeFileSync(join(makeFolder(etc, "pve"), "storage.cfg"), "lvmthin: local-lvm\n");
const tokenPath = join(folder, "telegram");
writeFileSync(tokenPath, `${TOKEN}\n`, { mode: 0o600 });
const program = new PlanProgram({
  guide: new Guide("proxmox-node"),
  folder,
  env: { ...ssh.user.environment, PATH: `${bin}:${ssh.user.path}` },
  places: {
    "/var/backup/comeback": repositories.local,
    "[mount, /mnt/cloud]": `[${mountCommand}]`,
    "/mnt/cloud": cloud.point,
    "sftp:backup@vault.example.com:/srv/backup/node": `sftp:backup:${repositories.vault}`,
    "/etc/comeback/telegram": tokenPath,
    "chat: -1001234567890": `chat: -1001234567890, server: ${telegram.url}`,
    "[/etc, /usr/local/etc]": `[${etc}]`,
  },
});
for (const repository of Object.values(repositories)) await makeQuickRepository(repository);

function newDay(): void {
  for (const id of GUESTS) {
    const disk = Buffer.concat([Buffer.from(`guest ${id}`), random.bytes(200_000)]);
    writeFileSync(join(guests, id), disk);
  }
}

async function sleepThrough(night: number, options: PlanRunOptions = {}): Promise<RunSeen> {
  newDay();
  told.length = 0;
  const env = { COMEBACK_TEST_NOW_MS: String(FIRST_NIGHT + night * DAY_MS) };
  return program.run("node", { ...options, env });
}

async function counts(place: string): Promise<Record<string, number>> {
  const counted: Record<string, number> = {};
  for (const { tags: [, source = ""] = [] } of await program.on(place).snapshots()) {
    const name = source.replace("source:", "");
    counted[name] = (counted[name] ?? 0) + 1;
  }
  return counted;
}

function unmount(): void {
  execFileSync("umount", [cloud.point]);
}

test("the cloud's folder is not mounted and cannot be: the run fails, is told, and stores nothing", async () => {
  const run = await sleepThrough(0, { exitCode: 1 });
  assert.equal(run.outcome, "failed");
  assert.match(run.message ?? "", /nothing is mounted at .*mnt\/cloud/);
  assert.equal(told.length, 2, told.join("\n---\n"));
  assert.match(told[0] ?? "", /node started on/);
  assert.match(told[1] ?? "", /node failed on/);
  assert.match(
    told[1] ?? "",
    /nothing is mounted at .*: its command failed: mount: can't find the cloud/,
  );
  assert.deepEqual(await new Client(RESTIC_018, repositories.local).snapshots(), []);
});

test("one guest fails: it is named, the others and the configuration are in all three places", async () => {
  writeFileSync(isMountable, "");
  writeFileSync(join(guests, "102.broken"), "");
  const run = await sleepThrough(1, { exitCode: 1 });
  assert.match(run.source("guest-102").failure ?? "", /no such volume 'local-lvm:vm-102-disk-0'/);
  assert.equal(run.source("system").failure, undefined);
  const expected = { "comeback-kit": 1, "guest-101": 1, "guest-103": 1, system: 1 };
  for (const place of PLACES) assert.deepEqual(await counts(place), expected, place);
  assert.equal(told.length, 2, told.join("\n---\n"));
  const end = told[1] ?? "";
  assert.match(end, /node failed on/);
  assert.match(end, /capture guest-102: .*no such volume/);
  assert.match(end, /saved system, guest-101, guest-103 to local/);
  assert.match(end, /copied 3 snapshots to cloud/);
  assert.match(end, /copied 3 snapshots to vault/);
});

test("all goes well again: that is told, and each guest comes back from each place", async () => {
  rmSync(join(guests, "102.broken"));
  await program.check();
  // It was unmounted meanwhile: the run mounts it by itself.
  unmount();
  const run = await sleepThrough(2);
  assert.equal(run.outcome, "ok", run.finished.describe());
  assert.match(told[0] ?? "", /node started on/);
  assert.match(told[1] ?? "", /node is ok again on/);
  for (const place of PLACES) {
    for (const id of GUESTS) {
      const path = `/guests/vzdump-${id === "103" ? "lxc-103.tar" : `qemu-${id}.vma`}`;
      const args = ["dump", "latest", "--tag", `source:guest-${id}`, path];
      const { stdout } = await program.on(place).done(args);
      assert.ok(stdout.equals(readFileSync(join(guests, id))), `${id} from ${place}`);
    }
  }
  const target = join(folder, "restored");
  await program.on("vault").restore("latest", target, ["--tag", "source:system"]);
  assert.equal(readFileSync(join(target, etc, "pve/storage.cfg"), "utf8"), "lvmthin: local-lvm\n");
  const report = readFileSync(join(target, "comeback-report/guests.txt"), "utf8");
  assert.match(report, /101 web running\n103 running mail/);
});

test("after two weeks and more: 2 of a guest on the node, 15 in the cloud; restic finds all whole", async () => {
  // The other sources rest: they would show the same, and take their time.
  for (let night = 3; night < 18; night++) {
    const run = await sleepThrough(night, { args: ["--only", "guest-101"] });
    assert.equal(run.outcome, "ok", run.finished.describe());
    assert.match(told[1] ?? "", /node is done on/);
  }
  const rest = { "guest-102": 1, "guest-103": 2, system: 2 };
  const kit = (count: number) => ({ "comeback-kit": count, "guest-101": count, ...rest });
  assert.deepEqual(await counts("local"), kit(2));
  assert.deepEqual(await counts("cloud"), kit(15));
  // Twelve months are not there yet: until then, the oldest of all stays, as restic has it.
  assert.deepEqual(await counts("vault"), kit(16));
  for (const place of PLACES) await new Client(RESTIC_018, repositories[place]).check();
});
