import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { CommandRunner } from "@comeback/core";
import { isComebackError } from "@comeback/core";
import { configuration } from "@comeback/operations";
import { executeInstall } from "../../src/install/execute-install.ts";
import { neededPrivileges } from "../../src/install/needed-privileges.ts";
import { planInstall, planRemoval } from "../../src/install/plan-install.ts";
import { renderInstall } from "../../src/install/render-install.ts";
import { serviceUnit, timerUnit } from "../../src/install/unit-files.ts";
import { paletteFor } from "../../src/terminal/palette.ts";

const PALETTE = paletteFor(false, {});
const OPTIONS = {
  command: ["/opt/comeback/bin/comeback"],
  isUser: false,
  isTimer: false,
  privileges: [],
} as const;

/** A systemd that does as it is told, or does not. */
class Manager implements CommandRunner {
  readonly told: string[] = [];
  refuses: string | undefined;

  async run({ argv }: Parameters<CommandRunner["run"]>[0]): ReturnType<CommandRunner["run"]> {
    this.told.push(argv.join(" "));
    const isRefused = this.refuses !== undefined && argv.includes(this.refuses);
    return {
      exitCode: isRefused ? 1 : 0,
      endedBy: null,
      hasTimedOut: false,
      stdout: "",
      lastWords: isRefused ? "Access denied" : "",
    };
  }

  stream(): never {
    throw new Error("nothing is streamed");
  }
}

async function inFolder(use: (folder: string, manager: Manager) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "comeback-install-"));
  try {
    await use(folder, new Manager());
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const { signal } = new AbortController();

test("a daemon, then timers in its place, then nothing", () =>
  inFolder(async (unitFolder, commands) => {
    const daemon = await planInstall({ ...OPTIONS, unitFolder });
    assert.deepEqual(readdirSync(unitFolder), [], "a plan does nothing");
    await executeInstall(daemon, { commands, signal });
    assert.deepEqual(readdirSync(unitFolder), ["comeback.service"]);
    assert.deepEqual(commands.told, [
      "systemctl daemon-reload",
      "systemctl enable comeback.service",
      "systemctl restart comeback.service",
    ]);
    const again = await planInstall({ ...OPTIONS, unitFolder });
    assert.deepEqual(
      again.files.map(({ change }) => change),
      ["same"],
    );

    commands.told.length = 0;
    const timers = await planInstall({ ...OPTIONS, isTimer: true, unitFolder });
    await executeInstall(timers, { commands, signal });
    assert.deepEqual(readdirSync(unitFolder).toSorted(), ["comeback.service", "comeback.timer"]);
    assert.match(readFileSync(join(unitFolder, "comeback.service"), "utf8"), /daemon --once$/m);
    assert.deepEqual(commands.told, [
      "systemctl disable --now comeback.service",
      "systemctl daemon-reload",
      "systemctl enable comeback.timer",
      "systemctl restart comeback.timer",
    ]);

    commands.told.length = 0;
    await executeInstall(await planInstall({ ...OPTIONS, unitFolder }), { commands, signal });
    assert.deepEqual(readdirSync(unitFolder), ["comeback.service"]);
    assert.equal(commands.told[0], "systemctl disable --now comeback.timer");

    commands.told.length = 0;
    const removal = await planRemoval({ unitFolder, isUser: true });
    await executeInstall(removal, { commands, signal });
    assert.deepEqual(readdirSync(unitFolder), []);
    assert.deepEqual(commands.told, [
      "systemctl --user disable --now comeback.service",
      "systemctl --user daemon-reload",
    ]);
    const nothing = await planRemoval({ unitFolder, isUser: false });
    assert.deepEqual(renderInstall(nothing, PALETTE), ["nothing of Comeback is installed there"]);
    assert.deepEqual(nothing.before, []);
  }));

test("a unit that somebody else wrote is left alone", () =>
  inFolder(async (unitFolder) => {
    const path = join(unitFolder, "comeback.service");
    writeFileSync(path, "[Service]\nExecStart=/mine\n");
    for (const plan of [
      () => planInstall({ ...OPTIONS, unitFolder }),
      () => planRemoval({ unitFolder, isUser: false }),
    ]) {
      await assert.rejects(plan, (error: unknown) => isComebackError(error, "option.invalid"));
    }
  }));

test("what systemd refuses is told with its words", () =>
  inFolder(async (unitFolder, commands) => {
    commands.refuses = "enable";
    const plan = await planInstall({ ...OPTIONS, unitFolder });
    await assert.rejects(
      executeInstall(plan, { commands, signal }),
      (error: unknown) => isComebackError(error, "command.failed") && error.why === "Access denied",
    );
    assert.ok(existsSync(join(unitFolder, "comeback.service")));
  }));

test("the plan shows every file whole", async () => {
  const plan = await planInstall({ ...OPTIONS, unitFolder: "/no/such/folder" });
  const shown = renderInstall(plan, PALETTE).join("\n");
  assert.match(shown, /^write {2}\/no\/such\/folder\/comeback\.service$/m);
  assert.match(shown, /ExecStart=\/opt\/comeback\/bin\/comeback daemon/);
  assert.match(shown, /^run {4}systemctl enable comeback\.service$/m);
});

test("arguments are quoted as systemd reads them", () => {
  const command = ["/opt/my %h/come$back", "--config", '/a "b"\\c'];
  assert.match(
    serviceUnit({ ...OPTIONS, command }),
    /^ExecStart="\/opt\/my %%h\/come\$\$back" --config "\/a \\"b\\"\\\\c" daemon$/m,
  );
});

test("rights are taken away, unless plans need them", () => {
  const hardened = serviceUnit(OPTIONS);
  assert.match(hardened, /^CapabilityBoundingSet=CAP_DAC_READ_SEARCH /m);
  assert.doesNotMatch(hardened, /CAP_SYS_ADMIN/);
  const privileged = serviceUnit({ ...OPTIONS, privileges: ["volumes are snapshotted"] });
  assert.doesNotMatch(privileged, /CapabilityBoundingSet|ProtectSystem/);
  assert.match(privileged, /^# All rights of root are left to it: volumes are snapshotted\.$/m);
  // What would hide what is to be backed up is in none.
  for (const unit of [hardened, privileged]) {
    assert.doesNotMatch(unit, /^(?:ProtectHome|PrivateTmp|PrivateDevices|MemoryDeny)/m);
  }
});

test("what plans need", () => {
  const sources = { data: { files: { paths: ["/srv"] } } };
  const parse = (plan: object, more: object = {}): string[] =>
    neededPrivileges(
      configuration.parse({
        destinations: { nas: { repo: "/mnt/nas", password: { env: "X" }, ...more } },
        plans: { shop: { sources, to: "nas", ...plan } },
      }),
    );
  assert.deepEqual(parse({}), []);
  assert.deepEqual(parse({}, { mount: { point: "/mnt/nas", command: "mount /mnt/nas" } }), [
    "destinations are mounted",
  ]);
  const enter = [{ container: { stop: "web" } }];
  assert.deepEqual(parse({ maintenance: { enter } }), ["containers are started"]);
});

test("units are of sections and settings, and systemd, where it is installed, finds no fault", () =>
  inFolder(async (folder) => {
    const command = ["/bin/true"];
    const units: Readonly<Record<string, string>> = {
      "a.service": serviceUnit({ ...OPTIONS, command }),
      "b.service": serviceUnit({ ...OPTIONS, command, isTimer: true }),
      "b.timer": timerUnit(),
      "c.service": serviceUnit({ ...OPTIONS, command, privileges: ["volumes are snapshotted"] }),
      "d.service": serviceUnit({ ...OPTIONS, command, isUser: true }),
    };
    for (const [name, text] of Object.entries(units)) {
      for (const line of text.trimEnd().split("\n")) {
        assert.match(
          line,
          /^(?:|# .+|\[(?:Unit|Service|Timer|Install)\]|[A-Z][A-Za-z]+=.+)$/,
          name,
        );
      }
      writeFileSync(join(folder, name), text);
    }
    const analyze = (...args: readonly string[]): void => {
      const env = { ...process.env, XDG_RUNTIME_DIR: folder };
      const result = spawnSync("systemd-analyze", ["verify", "--man=no", ...args], {
        env,
        encoding: "utf8",
      });
      if (result.error?.message.includes("ENOENT") === true) return;
      assert.deepEqual([result.stderr, result.status], ["", 0], args.join(" "));
    };
    for (const name of Object.keys(units).filter((name) => !name.startsWith("d"))) {
      analyze(join(folder, name));
    }
    analyze("--user", join(folder, "d.service"));
  }));
