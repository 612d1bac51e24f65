import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePorts } from "../../drivers/free-ports.ts";

const run = promisify(execFile);

/** How long each part may take to come up on a busy machine. */
const START_MS = 90_000;
const LOOK_AGAIN_MS = 200;

/** Who may use the store. */
export interface CephUser {
  readonly accessKey: string;
  readonly secretKey: string;
}

/**
 * A Ceph of one node with its S3 gateway on loopback. Objects are in memory, so it is empty at
 * every start, and up in about 10 s. Object Lock is enforced; `If-None-Match: *` of a PUT is followed.
 */
export interface Ceph extends AsyncDisposable {
  /** Such as `http://127.0.0.1:40123`. */
  readonly endpoint: string;
  readonly user: CephUser;
  /** Makes one more user, who may do nothing with the buckets of others. */
  addUser(name: string): Promise<CephUser>;
  /** The gateway is killed at once, as in a crash, and started again; objects stay. */
  restartGateway(): Promise<void>;
}

export async function startCeph(): Promise<Ceph> {
  const folder = mkdtempSync(join(tmpdir(), "comeback-ceph-"));
  const daemons: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(daemons.map(end));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return await start(folder, daemons, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  folder: string,
  daemons: ChildProcess[],
  stop: () => Promise<void>,
): Promise<Ceph> {
  const [monitor = 0, monitorOld = 0, gateway = 0] = await freePorts(3);
  const fsid = randomUUID();
  for (const name of ["mon", "osd", "run", "log"]) mkdirSync(join(folder, name));
  const settings = join(folder, "ceph.conf");
  writeFileSync(settings, configuration({ folder, fsid, monitor, monitorOld, gateway }));
  const ceph = async (program: string, ...args: string[]): Promise<void> => {
    await run(program, ["-c", settings, ...args], { timeout: START_MS });
  };
  const daemon = (program: string, ...args: string[]): ChildProcess => {
    // Ends with this process, however that ends.
    const command = ["--pdeathsig", "KILL", program, "-f", "-c", settings, ...args];
    const child = spawn("setpriv", command, { stdio: "ignore" });
    daemons.push(child);
    return child;
  };

  await makeKeys(folder);
  const addresses = `[v2:127.0.0.1:${monitor},v1:127.0.0.1:${monitorOld}]`;
  const map = join(folder, "monmap");
  await run("monmaptool", ["--create", "--addv", "a", addresses, "--fsid", fsid, map]);
  const keyring = join(folder, "keyring");
  await ceph("ceph-mon", "--mkfs", "-i", "a", "--monmap", map, "--keyring", keyring);
  daemon("ceph-mon", "-i", "a");
  const disk = randomUUID();
  await ceph("ceph", "osd", "new", disk);
  await ceph("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk);
  daemon("ceph-osd", "-i", "0");
  const startGateway = (): ChildProcess => daemon("radosgw", "-n", "client.rgw");
  let running = startGateway();
  const endpoint = `http://127.0.0.1:${gateway}`;
  await answers(endpoint, join(folder, "log"));
  const restartGateway = async (): Promise<void> => {
    await end(running);
    running = startGateway();
    await answers(endpoint, join(folder, "log"));
  };
  const addUser = async (name: string): Promise<CephUser> => {
    const user = { accessKey: `access-${name}`, secretKey: `secret-of-${name}-0123456789` };
    const keys = ["--access-key", user.accessKey, "--secret-key", user.secretKey];
    const names = ["--uid", name, "--display-name", name];
    await ceph("radosgw-admin", "user", "create", ...names, ...keys);
    return user;
  };
  const user = await addUser("test");
  return { endpoint, user, addUser, restartGateway, [Symbol.asyncDispose]: stop };
}

async function makeKeys(folder: string): Promise<void> {
  const keyring = join(folder, "keyring");
  const all = ["mon", "osd", "mgr"].flatMap((name) => ["--cap", name, "allow *"]);
  const add = (name: string, ...caps: string[]): Promise<unknown> =>
    run("ceph-authtool", [keyring, "--gen-key", "-n", name, ...caps]);
  await run("ceph-authtool", ["--create-keyring", keyring]);
  await add("mon.", "--cap", "mon", "allow *");
  await add("client.admin", ...all);
  await add("osd.0", "--cap", "mon", "allow profile osd", "--cap", "osd", "allow *");
  await add("client.rgw", "--cap", "mon", "allow rwx", "--cap", "osd", "allow rwx");
}

async function answers(endpoint: string, logs: string): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline) {
    try {
      const response = await fetch(endpoint, { signal: AbortSignal.timeout(2_000) });
      if (response.ok) return;
    } catch {
      // Not up yet.
    }
    await sleep(LOOK_AGAIN_MS);
  }
  const log = readFileSync(join(logs, "client.rgw.log"), "utf8").slice(-2_000);
  throw new Error(`Ceph's gateway did not come up: ${log}`);
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const exited = once(daemon, "exit");
  // There is nothing to keep, and a gateway that is asked politely takes five seconds.
  daemon.kill("SIGKILL");
  await exited;
}

function configuration(options: {
  readonly folder: string;
  readonly fsid: string;
  readonly monitor: number;
  readonly monitorOld: number;
  readonly gateway: number;
}): string {
  const { folder, fsid, monitor, monitorOld, gateway } = options;
  return `[global]
fsid = ${fsid}
mon host = [v2:127.0.0.1:${monitor},v1:127.0.0.1:${monitorOld}]
public addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data avail warn = 1
mon data avail crit = 0
run dir = ${folder}/run
admin socket = ${folder}/run/$name.asok
log file = ${folder}/log/$name.log
pid file = ${folder}/run/$name.pid
keyring = ${folder}/keyring
[mon]
mon data = ${folder}/mon
[osd]
osd data = ${folder}/osd
osd objectstore = memstore
memstore device bytes = 6442450944
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${gateway}
`;
}
