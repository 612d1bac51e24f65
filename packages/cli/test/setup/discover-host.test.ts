import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { parse } from "yaml";
import { systemCommandRunner } from "@comeback/platform";
import { loadConfiguration } from "@comeback/operations";
import { discoverHost } from "../../src/setup/discover-host.ts";
import { planSetup } from "../../src/setup/setup-plan.ts";

const folder = mkdtempSync(join(tmpdir(), "comeback-discovery-"));
const root = join(folder, "root");
const bin = join(folder, "bin");
const path = process.env["PATH"];
after(() => {
  process.env["PATH"] = path;
  rmSync(folder, { recursive: true });
});

function file(name: string, content = ""): void {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), content);
}

/** A program that answers as its real namesake does. */
function program(name: string, script: string): void {
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
}

const { signal } = new AbortController();
const discover = () => discoverHost({ runner: systemCommandRunner, signal, root });

test("an empty machine has nothing, and nothing is made up", async () => {
  mkdirSync(root);
  mkdirSync(bin);
  process.env["PATH"] = bin;
  assert.deepEqual(await discover(), []);
  mkdirSync(join(root, "srv"));
  for (const name of ["podman", "docker", "lvs", "qm", "pct"]) program(name, "exit 1");
  assert.deepEqual(await discover(), [], "an empty folder, and programs that fail");
});

test("what services usually leave is found, and the configuration made of it is valid", async () => {
  process.env["PATH"] = bin;
  for (const name of ["etc/hostname", "srv/shop/index", "var/www/page", "home/ann/letter"])
    file(name);
  file("run/postgresql/.s.PGSQL.5432");
  file("run/postgresql/.s.PGSQL.5432.lock");
  file("tmp/.s.PGSQL.5499");
  mkdirSync(join(root, "run/mysqld"), { recursive: true });
  const server = createServer().listen(join(root, "run/mysqld/mysqld.sock"));
  after(() => server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  program("podman", 'printf "web data\\t/var/lib/containers/web data/_data\\nplain\\t/x/_data\\n"');
  program("lvs", 'printf "  vg0/root\\n  vg0/data\\n"');
  program("qm", 'printf "  VMID NAME STATUS\\n   100 mail running\\n"');
  program("pct", 'printf "VMID Status Lock Name\\n101 running web\\n"');
  const found = await discover();
  assert.deepEqual(
    found.map(({ kind, name }) => `${kind} ${name}`),
    [
      "configuration configuration",
      "folder srv",
      "folder home",
      "folder var-www",
      "postgres postgres",
      "postgres postgres-5499",
      "mariadb mariadb",
      "volume volume-web-data",
      "volume volume-plain",
      "lvm lvm-vg0-root",
      "lvm lvm-vg0-data",
      "guest guest-100",
      "guest guest-101",
    ],
  );
  const plan = planSetup({
    configurationPath: join(folder, "comeback.yaml"),
    repository: "/srv/backup, and more",
    sources: [...found, ...found],
    plan: "server",
    at: "03:15",
    keyFile: undefined,
    keyExists: false,
  });
  writeFileSync(plan.configurationPath, plan.configurationText);
  const { configuration } = await loadConfiguration({
    path: plan.configurationPath,
    env: process.env,
    signal,
  });
  const { sources } = configuration.plans["server"]!;
  assert.equal(
    Object.keys(sources).length,
    11,
    "each once, and logical volumes are only mentioned",
  );
  const raw = parse(plan.configurationText) as {
    plans: { server: { sources: Record<string, object> } };
  };
  assert.deepEqual(raw.plans.server.sources["srv"], {
    files: { paths: "/srv", exclude: ["/srv/backup, and more"] },
  });
});

test("the repository cannot be what is protected, and a plan needs a name that is one", () => {
  const wish = {
    configurationPath: "/etc/comeback/comeback.yaml",
    repository: "/srv",
    sources: [{ kind: "folder", name: "srv", description: "/srv", path: "/srv" }] as const,
    plan: undefined,
    at: "02:00",
    keyFile: undefined,
    keyExists: false,
  };
  assert.throws(() => planSetup(wish), /is the repository, and to be protected/);
  assert.throws(() => planSetup({ ...wish, repository: "/mnt", plan: "my plan" }), /is no name/);
  assert.throws(() => planSetup({ ...wish, repository: "/mnt", at: "25:00" }), /no time of day/);
  const lvm = { kind: "lvm", name: "lvm-a", description: "logical volume a" } as const;
  assert.throws(
    () => planSetup({ ...wish, repository: "/mnt", sources: [lvm] }),
    /nothing to protect/,
  );
});
