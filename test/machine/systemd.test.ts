import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PASSWORD } from "../drivers/client.ts";
import { COMEBACK } from "../drivers/tools.ts";
import { DebianMachine } from "../services/debian/debian-machine.ts";
import { Podman } from "../services/podman/podman.ts";

/**
 * The units of `comeback install` under a real systemd (test/services/debian). Machines side by side
 * wait for the same minute of their schedules.
 */
const podman = new Podman();
const IMAGE = "localhost/comeback-debian";
podman.importDebian(IMAGE);

const UNITS = "/etc/systemd/system";
const KEY = "/etc/comeback/key";
const CONFIGURATION = "/etc/comeback/comeback.yaml";
/** While it is not there, the run of `shop` goes on, and its service is at rest. */
const GO = "/srv/go";
const MAINTAINED = `
  shop:
    schedule: "* * * * *"
    maintenance:
      enter: [{ systemd: { stop: [web.service] } }]
      timeout: 10m
    sources:
      dump: { command: { run: "until [ -e ${GO} ]; do sleep 0.1; done; echo dumped", filename: dump } }
    to: nas
`;
const FILES = `
  files:
    schedule: "* * * * *"
    sources:
      data: { files: /srv/data }
      who: { command: { run: setpriv --reuid=nobody --clear-groups id -un, filename: who } }
    to: nas
`;

function configurationWith(plans: string, password: string): string {
  return `host: web1
daemon: { parallel-runs: 2, metrics: { textfile: /var/lib/prometheus/comeback.prom } }
destinations:
  nas: { repo: /srv/nas, password: ${password} }
plans:${plans}`;
}

/** A machine with a repository, a service that only a start by hand brings up, and files of others. */
async function machineNamed(
  name: string,
  plans: string,
  password = `{ file: ${KEY} }`,
): Promise<DebianMachine> {
  const machine = new DebianMachine(podman, IMAGE, name);
  await machine.boot();
  await machine.write(KEY, `${PASSWORD}\n`);
  await machine.write(CONFIGURATION, configurationWith(plans, password));
  await machine.write(`${UNITS}/web.service`, "[Service]\nExecStart=/bin/sleep infinity\n");
  await machine.write("/srv/data/file", "precious");
  // Of somebody else, whom nobody but root may read it.
  await machine.run("chown", "-R", "www-data:", "/srv/data");
  await machine.run("systemctl", "start", "web.service");
  await comeback(machine, "-r", "/srv/nas", "--password-file", KEY, "init");
  return machine;
}

function comeback(machine: DebianMachine, ...args: readonly string[]): Promise<string> {
  return machine.run(COMEBACK.command, ...args);
}

/** What has come of the runs of each plan. */
async function outcomesOf(machine: DebianMachine): Promise<Set<string>> {
  const runs = JSON.parse(await comeback(machine, "history", "--json")) as {
    plan: string;
    outcome?: string;
  }[];
  return new Set(runs.map(({ plan, outcome }) => `${plan} ${outcome}`));
}

const journalHas = (pattern: string): string =>
  `journalctl --no-pager -o cat -u comeback.service | grep -qE '${pattern}'`;

function rest(machine: DebianMachine): Promise<void> {
  return machine.waitForProperty("web.service", "ActiveState", "^inactive$");
}

function service(machine: DebianMachine): Promise<void> {
  return machine.waitForProperty("web.service", "ActiveState", "^active$");
}

describe("under systemd", { concurrency: true }, () => {
  test("the daemon is installed, reloads, runs plans with few rights, and waits when stopped", async () => {
    const secret = "{ credential: repository }";
    const machine = await machineNamed("daemon", FILES, secret);
    await machine.write(
      `${UNITS}/comeback.service.d/secrets.conf`,
      `[Service]\nLoadCredential=repository:${KEY}\n`,
    );
    await comeback(machine, "install");
    assert.equal(await machine.run("systemctl", "is-enabled", "comeback"), "enabled");
    assert.equal(await machine.property("comeback", "ActiveState"), "active");
    assert.equal(await machine.property("comeback", "StatusText"), "1 plan");
    await machine.waitForProperty("comeback", "WatchdogTimestampMonotonic", "^[1-9]");

    await machine.write(CONFIGURATION, "plans: {");
    await machine.run("systemctl", "reload", "comeback");
    await machine.waitForProperty("comeback", "StatusText", "^1 plan; .* has a mistake");
    await machine.write(CONFIGURATION, configurationWith(FILES + MAINTAINED, secret));
    await machine.run("systemctl", "reload", "comeback");
    await machine.waitForProperty("comeback", "StatusText", "^2 plans$");

    await rest(machine);
    await machine.waitUntil(journalHas("files: .* ended"));
    await machine.run("systemctl", "--no-block", "stop", "comeback");
    await machine.waitUntil(journalHas("1 running is waited for"));
    assert.equal(await machine.property("comeback", "ActiveState"), "deactivating");
    await machine.write(GO, "");
    await machine.waitForProperty("comeback", "ActiveState", "^inactive$");
    assert.equal(await machine.property("comeback", "Result"), "success");
    assert.equal(await machine.property("web", "ActiveState"), "active");
    assert.deepEqual(await outcomesOf(machine), new Set(["files ok", "shop ok"]));

    const from = ["-r", "/srv/nas", "--password-file", KEY];
    await comeback(
      machine,
      ...from,
      "restore",
      "latest",
      "--path",
      "/srv/data",
      "--target",
      "/srv/back",
    );
    await machine.run("diff", "-r", "/srv/data", "/srv/back/srv/data");
    const dumped = await comeback(machine, ...from, "dump", "latest", "--path", "/who", "/who");
    assert.equal(dumped, "nobody");
    const metrics = await machine.run("cat", "/var/lib/prometheus/comeback.prom");
    assert.match(metrics, /^comeback_up 1$/m);

    await comeback(machine, "install", "--remove");
    await machine.run("test", "!", "-e", `${UNITS}/comeback.service`);
  });

  test("what a killed unit leaves is undone when systemd starts it again", async () => {
    const machine = await machineNamed("killed", MAINTAINED);
    await comeback(machine, "install");
    await rest(machine);
    // The daemon, its run and the watchdog of the run: nobody is left.
    await machine.run("systemctl", "kill", "--signal", "KILL", "--kill-whom", "all", "comeback");
    await service(machine);
    assert.equal(await machine.property("comeback", "NRestarts"), "1");
  });

  test("what a cut of power leaves is undone after the next boot", async () => {
    const machine = await machineNamed("powerless", MAINTAINED);
    await comeback(machine, "install");
    await rest(machine);
    machine.cutPower();
    await machine.boot();
    await service(machine);
    await machine.waitForProperty("comeback", "StatusText", "^1 plan$");
  });

  test("a timer does the same without a process that stays", async () => {
    const machine = await machineNamed("timer", FILES + MAINTAINED);
    await comeback(machine, "install", "--timers");
    assert.equal(await machine.run("systemctl", "is-enabled", "comeback.timer"), "enabled");
    await rest(machine);
    machine.cutPower();
    await machine.boot();
    await service(machine);
    await machine.write(GO, "");
    await machine.waitUntil(
      `${journalHas("shop: .* ended: ok")} && ${journalHas("files: .* ended: ok")}`,
    );
    await machine.waitForProperty("comeback", "MainPID", "^0$");
    assert.equal(await machine.property("comeback", "Result"), "success");
  });
});
