import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { sftpBackendFactory } from "@comeback/backend-sftp";
import { ComebackError } from "@comeback/core";
import type { ErrorCode, OpenBackendOptions } from "@comeback/core";
import { makeFolder } from "../../drivers/scratch.ts";
import { SshServer } from "../../services/openssh/ssh-server.ts";
import { SshUser } from "../../services/openssh/ssh-user.ts";
import { optionsOf, startPlace } from "./sftp-fixture.ts";

const CONFIG = { type: "config", name: "" } as const;
const PACK = { type: "pack", name: "ab".repeat(32) } as const;

const place = await startPlace("sftp-connecting");
const { folder, server, user } = place;

/** Creates a repository's layout, writes and reads through it, and reads it once more. */
async function assertWorks(location: string, options: OpenBackendOptions): Promise<void> {
  const data = new Uint8Array(300_000).fill(7);
  {
    await using backend = await sftpBackendFactory.create(location, options);
    await backend.save(CONFIG, new Uint8Array(100));
    await backend.save(PACK, data);
  }
  await using backend = await sftpBackendFactory.open(location, options);
  assert.deepEqual(await backend.load(PACK), data);
}

async function fails(
  location: string,
  code: ErrorCode,
  options: OpenBackendOptions = place.options,
): Promise<ComebackError> {
  try {
    await using backend = await sftpBackendFactory.open(location, options);
    assert.fail(`${backend.location} was opened`);
  } catch (error) {
    assert.ok(error instanceof ComebackError, String(error));
    assert.equal(error.code, code, `${error.message}: ${error.why}`);
    assert.ok((error.next ?? "") !== "");
    return error;
  }
}

test("an alias, a key and known hosts of the user's own configuration", async () => {
  await assertWorks(`sftp:backup:${folder}/alias`, place.options);
});

test("host, port and user in the URL; -o sftp.args; a path with spaces", async () => {
  const location = `sftp://root@127.0.0.1:${server.port}/${folder}/in%20the%20URL`;
  const known = `-o UserKnownHostsFile=${user.knownHostsPath} -o IdentitiesOnly=yes`;
  const settings = new Map([["args", `-F /dev/null -i '${user.keyPath}' ${known}`]]);
  await assertWorks(location, { settings });
  assert.ok(existsSync(join(folder, "in the URL", "config")));
});

test("a relative path begins in the home folder", async () => {
  const home = makeFolder(folder, "home");
  const chrooted = await SshServer.start({
    folder: join(folder, "relative-server"),
    config: [`Subsystem sftp internal-sftp -d ${home}`],
  });
  chrooted.allow(user.publicKey);
  user.trust(chrooted);
  user.addHost("relative", chrooted);
  await assertWorks("sftp:relative:some/where", place.options);
  assert.ok(existsSync(join(home, "some/where/config")));
});

test("-o sftp.command instead of ssh", async () => {
  const settings = new Map([["command", "/usr/lib/openssh/sftp-server"]]);
  await assertWorks(`sftp:nowhere:${folder}/command`, { settings });
});

test("through a jump host, with a key that only the agent has", async () => {
  const jump = await SshServer.start({ folder: join(folder, "jump") });
  const behind = await SshServer.start({ folder: join(folder, "behind") });
  const traveller = new SshUser(join(folder, "traveller"), "a passphrase");
  for (const station of [jump, behind]) station.allow(traveller.publicKey);
  traveller.trust(jump, behind);
  traveller.addHost("jump", jump);
  traveller.addHost("behind", behind, ["ProxyJump jump"]);
  const location = `sftp:behind:${folder}/behind-the-jump`;

  const locked = await fails(location, "backend.credentials", optionsOf(traveller));
  assert.match(locked.next ?? "", /ssh-add/);

  const socket = join(folder, "agent");
  const agent = execFileSync("ssh-agent", ["-a", socket]).toString();
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(agent)?.[1]);
  after(() => process.kill(pid));
  const askpass = join(folder, "askpass");
  writeFileSync(askpass, "#!/bin/sh\necho 'a passphrase'\n");
  chmodSync(askpass, 0o700);
  const env = { ...process.env, ...traveller.environment, SSH_AUTH_SOCK: socket };
  execFileSync("ssh-add", ["-q", traveller.keyPath], {
    env: { ...env, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force" },
  });
  await assertWorks(location, { env });

  await jump.stop();
  await fails(location, "backend.unreachable", { env });
});

test("an unknown host is refused, with the way to accept it", async () => {
  const stranger = new SshUser(join(folder, "stranger"));
  stranger.addHost("backup", server);
  const error = await fails(`sftp:backup:${folder}/x`, "backend.unknown-host", optionsOf(stranger));
  assert.match(error.next ?? "", /fingerprint/);
  assert.equal(error.retryable, false);
});

test("a host that shows another key than before is refused, loudly", async () => {
  const changing = await SshServer.start({ folder: join(folder, "changing") });
  changing.allow(user.publicKey);
  user.trust(changing);
  user.addHost("changing", changing);
  await assertWorks(`sftp:changing:${folder}/changing-store`, place.options);
  changing.makeHostKey();
  await changing.restart();
  const error = await fails(`sftp:changing:${folder}/changing-store`, "backend.changed-host");
  assert.match(error.message, /ANOTHER host key/);
});

test("a key that the server does not know", async () => {
  const other = new SshUser(join(folder, "other"));
  other.trust(server);
  other.addHost("backup", server);
  const error = await fails(`sftp:backup:${folder}/x`, "backend.credentials", optionsOf(other));
  assert.match(error.next ?? "", /ssh-copy-id/);
});

test("no such host, and nobody who listens", async () => {
  await fails("sftp:no-such-host.invalid:/x", "backend.unreachable");
  const closed = await SshServer.start({ folder: join(folder, "closed") });
  user.addHost("closed", closed);
  await closed.stop();
  const error = await fails("sftp:closed:/x", "backend.unreachable");
  assert.equal(error.retryable, true);
});

test("without ssh, the package is named", async () => {
  const env = { ...process.env, PATH: makeFolder(folder, "no-programs") };
  const error = await fails("sftp:backup:/x", "backend.program-missing", { env });
  assert.match(error.next ?? "", /openssh-client/);
});

test("a server without SFTP, and one whose login script talks", async () => {
  const without = await SshServer.start({
    folder: join(folder, "without"),
    config: ["Subsystem other /bin/true"],
  });
  const talking = await SshServer.start({
    folder: join(folder, "talking"),
    config: ["ForceCommand echo Welcome; exec /usr/lib/openssh/sftp-server"],
  });
  for (const station of [without, talking]) {
    station.allow(user.publicKey);
    user.trust(station);
  }
  user.addHost("without", without);
  user.addHost("talking", talking);
  const none = await fails("sftp:without:/x", "backend.misconfigured");
  assert.match(none.message, /no SFTP/);
  const text = await fails("sftp:talking:/x", "backend.misconfigured");
  assert.match(text.next ?? "", /bashrc/);
});

test("an account that sees one folder only, and has no shell", async () => {
  // sshd wants every folder above to be root's alone, which those for temporary files are not.
  const root = mkdtempSync("/run/comeback-chroot-");
  after(() => rmSync(root, { recursive: true }));
  chmodSync(root, 0o755);
  makeFolder(root, "backups");
  const jail = await SshServer.start({
    folder: join(folder, "jail"),
    config: [
      "Subsystem sftp internal-sftp",
      `ChrootDirectory ${root}`,
      "ForceCommand internal-sftp",
      "DisableForwarding yes",
    ],
  });
  jail.allow(user.publicKey);
  user.trust(jail);
  user.addHost("jail", jail);
  await assertWorks("sftp:jail:/backups/mine", place.options);
  assert.ok(existsSync(join(root, "backups/mine/config")));
});

test("an account that may only read", async () => {
  const readable = `sftp:backup:${folder}/read-only`;
  await assertWorks(readable, place.options);
  const reading = await SshServer.start({
    folder: join(folder, "reading"),
    config: ["Subsystem sftp internal-sftp -R", "ForceCommand internal-sftp -R"],
  });
  reading.allow(user.publicKey);
  user.trust(reading);
  user.addHost("reading", reading);
  await using backend = await sftpBackendFactory.open(
    `sftp:reading:${folder}/read-only`,
    place.options,
  );
  assert.equal((await backend.load(PACK)).byteLength, 300_000);
  const refused = { code: "backend.permission" };
  await assert.rejects(
    backend.save({ ...PACK, name: "cd".repeat(32) }, new Uint8Array(9)),
    refused,
  );
  await assert.rejects(backend.remove(PACK), refused);
});

test("a secret in -o sftp.command is in no error", async () => {
  const settings = new Map([["command", "false --password hunter2"]]);
  const error = await fails("sftp:x:/x", "backend.unreachable", { settings });
  assert.doesNotMatch(JSON.stringify({ ...error, message: error.message }), /hunter2/);
});

test("an interruption does not wait for a server that says nothing", async () => {
  const settings = new Map([["command", "cat"]]);
  const silent = new Map([["command", "sleep 1000"]]);
  const controller = new AbortController();
  const reason = new Error("enough");
  const opening = sftpBackendFactory.open("sftp:x:/x", {
    settings: silent,
    signal: controller.signal,
  });
  setImmediate(() => controller.abort(reason));
  await assert.rejects(opening, (error) => error === reason);
  // What comes back is not SFTP but our own greeting.
  await fails("sftp:x:/x", "backend.misconfigured", { settings });
});

test("no repository, and one where another is to be made", async () => {
  const location = `sftp:backup:${folder}/twice`;
  const missing = await fails(location, "repository.none");
  assert.equal(missing.exitCode, 10);
  assert.match(missing.why ?? "", /no such folder/);
  await assertWorks(location, place.options);
  await assert.rejects(sftpBackendFactory.create(location, place.options), {
    code: "repository.exists",
  });
  appendFileSync(join(folder, "a-file"), "");
  await assert.rejects(sftpBackendFactory.create(`sftp:backup:${folder}/a-file`, place.options), {
    code: "repository.none",
  });
});
