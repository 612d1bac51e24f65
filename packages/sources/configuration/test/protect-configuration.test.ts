import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  ComebackError,
  type CommandResult,
  type CommandRunner,
  isComebackError,
  type ProtectedSource,
} from "@comeback/core";
import { systemCommandRunner } from "@comeback/platform";
import { streamsSource, bytesContent, NO_TIME } from "@comeback/source-streams";
import { describeTree, protectedSourceConformance, readSource } from "@comeback/testkit";
import { protectConfiguration } from "../src/index.ts";
import { withoutCounters } from "../src/reports.ts";

/** Stands for the files, of which the composition root hands in the real source. */
function oneFile(path = "/etc/own"): ProtectedSource {
  const content = () => bytesContent(Buffer.from("file"));
  return {
    kind: "files",
    paths: [path],
    pinsMoment: false,
    probe: async ({ signal }) => {
      signal.throwIfAborted();
      return [{ state: "passed", subject: path, message: "is there" }];
    },
    pin: async ({ signal }) => {
      signal.throwIfAborted();
      return {
        source: streamsSource({ files: [{ path, content }], time: NO_TIME }),
        items: [{ kind: "path", name: path }],
        missing: () => [],
        async [Symbol.asyncDispose]() {},
      };
    },
  };
}

protectedSourceConformance("configuration", async () => {
  const folder = mkdtempSync(join(tmpdir(), "comeback-configuration-"));
  const data = join(folder, "data");
  const script = join(folder, "tell");
  writeFileSync(data, "one\n");
  writeFileSync(script, `#!/bin/sh\nexec cat ${data}\n`, { mode: 0o755 });
  return {
    source: protectConfiguration({
      files: oneFile(),
      reports: ["mounts", "services"],
      commands: { own: [script] },
      runner: systemCommandRunner,
    }),
    world: async () => execFileSync("find", [folder, "-printf", "%p %T@ %s\n"]).toString(),
    change: async () => writeFileSync(data, "two\n"),
    removeAll: async () => rmSync(script),
    held: async () => 0,
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
  };
});

const { signal } = new AbortController();

/** A machine with these programs, and what they print or how they fail. */
function machineWith(
  programs: Readonly<Record<string, string | { exitCode: number; says: string }>>,
): CommandRunner {
  const run = async ({ argv }: { argv: readonly string[] }): Promise<CommandResult> => {
    const answer = programs[argv.slice(0, 3).join(" ")] ?? programs[argv[0] ?? ""];
    if (answer === undefined) throw new ComebackError("command.missing", `no ${argv[0]}`);
    const isFailure = typeof answer !== "string";
    return {
      exitCode: isFailure ? answer.exitCode : 0,
      endedBy: null,
      hasTimedOut: false,
      stdout: isFailure ? "" : answer,
      lastWords: isFailure ? answer.says : "",
    };
  };
  return { run, stream: systemCommandRunner.stream };
}

async function read(source: ProtectedSource) {
  await using pinned = await source.pin({ time: NO_TIME, signal, onLine() {} });
  const tree = await readSource(pinned.source);
  const text = (name: string): string => {
    return tree.contents.get(`/comeback-report/${name}.txt`)?.toString() ?? "(none)";
  };
  return { ...tree, text, missing: pinned.missing() };
}

test("all reports of this very machine lie beside its files", async () => {
  const names = [
    "packages",
    "disks",
    "crontabs",
    "firewall",
    "network",
    "services",
    "mounts",
  ] as const;
  const source = protectConfiguration({
    files: oneFile(),
    reports: names,
    commands: { kernel: ["uname", "-s"], "who-am-i": ["/bin/sh", "-c", "id -u"] },
    runner: systemCommandRunner,
  });
  const result = await read(source);
  assert.equal(result.contents.get("/etc/own")?.toString(), "file");
  for (const name of names) assert.match(result.text(name), /^## /, name);
  assert.match(result.text("packages"), /\S\t\S/);
  assert.match(result.text("mounts"), /^## \/proc\/mounts\n\S/m);
  assert.equal(result.text("kernel"), "Linux\n");
  const lines = describeTree(result, () => "");
  assert.ok(lines.includes("dir 700 /comeback-report"));
  assert.ok(lines.includes("file 600 /comeback-report/disks.txt "));
});

test("a program that is not there is noted; one that fails is a problem as well", async () => {
  const runner = machineWith({
    "dpkg-query": "bash\t5.2\tamd64\tii \n",
    rpm: { exitCode: 1, says: "the database is damaged" },
  });
  const source = protectConfiguration({
    files: oneFile(),
    reports: ["packages"],
    commands: {},
    runner,
  });
  const { problems, text, missing } = await read(source);
  assert.match(text("packages"), /^bash\t5\.2/m);
  assert.match(text("packages"), /\(apk is not on this machine\)/);
  assert.match(text("packages"), /\(failed: exit code 1: the database is damaged\)/);
  assert.deepEqual(
    problems.map(({ path }) => path),
    ["/comeback-report/packages.txt"],
  );
  assert.match(problems[0]?.message ?? "", /^rpm .*: exit code 1: the database is damaged$/);
  assert.deepEqual(missing, []);
});

test("partition tables are kept of the disks that have one", async () => {
  const devices = [
    { type: "disk", path: "/dev/sdb", pttype: "gpt" },
    { type: "disk", path: "/dev/sda", pttype: null },
    { type: "loop", path: "/dev/loop0", pttype: "dos" },
  ];
  const runner = machineWith({
    lsblk: JSON.stringify({ blockdevices: devices }),
    "sfdisk --dump /dev/sdb": "label: gpt\n",
    blkid: { exitCode: 2, says: "" },
    crontab: { exitCode: 1, says: "no crontab for root" },
  });
  const reports = ["disks", "crontabs"] as const;
  const source = protectConfiguration({ files: oneFile(), reports, commands: {}, runner });
  const { problems, text } = await read(source);
  assert.deepEqual(problems, []);
  assert.match(text("disks"), /^## sfdisk --dump \/dev\/sdb\nlabel: gpt\n/m);
  assert.doesNotMatch(text("disks"), /sfdisk --dump \/dev\/(?:sda|loop0)/);
});

test("an own command that fails is missing, and the other reports are there", async () => {
  const source = protectConfiguration({
    files: oneFile(),
    reports: ["mounts"],
    commands: { bad: ["/bin/sh", "-c", "echo half; echo no licence >&2; exit 4"], good: ["id"] },
    runner: systemCommandRunner,
  });
  const { missing, problems, contents } = await read(source);
  assert.deepEqual(missing, [
    { kind: "report", name: "bad", reason: "/bin/sh failed: exit code 4: no licence" },
  ]);
  assert.equal(problems.length, 1);
  assert.deepEqual(
    [...contents.keys()],
    ["/comeback-report/good.txt", "/comeback-report/mounts.txt", "/etc/own"],
  );
});

test("names that are taken are refused", async () => {
  const runner = systemCommandRunner;
  assert.throws(
    () =>
      protectConfiguration({ files: oneFile(), reports: [], commands: { disks: ["id"] }, runner }),
    (error) => isComebackError(error, "configuration.invalid"),
  );
  const files = oneFile("/comeback-report/x");
  const source = protectConfiguration({ files, reports: ["mounts"], commands: {}, runner });
  await assert.rejects(read(source), (error) => isComebackError(error, "configuration.invalid"));
});

test("a firewall's counters and the time of printing are no change", () => {
  const saved = (count: number): string =>
    `# Generated by iptables-save v1.8.9 on day ${count}\n*filter\n:INPUT ACCEPT [${count}:99]\n-A INPUT -j DROP\n# Completed on day ${count}\n`;
  assert.equal(withoutCounters(saved(1)), withoutCounters(saved(20)));
  assert.match(withoutCounters(saved(1)), /^\*filter\n:INPUT ACCEPT \[0:0\]\n-A INPUT -j DROP\n$/);
});
