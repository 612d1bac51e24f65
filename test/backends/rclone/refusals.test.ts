import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { rcloneBackendFactory } from "@comeback/backend-rclone";
import { ComebackError } from "@comeback/core";
import type { ErrorCode } from "@comeback/core";
import { scratchFolder } from "../../drivers/scratch.ts";
import { waitUntil } from "../../drivers/wait-until.ts";
import { makeRcloneConfig } from "../../services/rclone/rclone-config.ts";

const scratch = scratchFolder("rclone-refusals");
const config = makeRcloneConfig(scratch);
const env = { ...process.env, ...config.env };
const PACK = { type: "pack", name: "ab".repeat(32) } as const;
const CONFIG = { type: "config", name: "" } as const;

interface Expected {
  readonly code: ErrorCode;
  readonly says: RegExp;
  /** Words that must not be told. */
  readonly secrets?: readonly string[];
}

async function openFails(
  location: string,
  options: { readonly settings?: Readonly<Record<string, string>>; readonly env?: typeof env },
  expected: Expected,
): Promise<void> {
  const settings = new Map(Object.entries(options.settings ?? {}));
  const opened = rcloneBackendFactory.open(location, { settings, env: options.env ?? env });
  await assert.rejects(opened, (error: unknown) => {
    assert.ok(error instanceof ComebackError, String(error));
    const all = `${error.message}: ${error.why}\n${error.next}\n${JSON.stringify(error.context)}`;
    assert.equal(error.code, expected.code, all);
    assert.match(all, expected.says);
    for (const secret of expected.secrets ?? []) assert.ok(!all.includes(secret), all);
    return true;
  });
}

/** The processes of this machine whose command line has this word, with their environments. */
function processesWith(word: string): { pid: number; command: string; environment: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
        const environment = readFileSync(`/proc/${name}/environ`, "utf8");
        return command.includes(word) ? [{ pid: Number(name), command, environment }] : [];
      } catch {
        return [];
      }
    });
}

test("a remote without a repository", async () => {
  const none = { code: "repository.none", says: /no repository at rclone:disk:nothing/ } as const;
  await openFails("rclone:disk:nothing", {}, none);
});

test("rclone is not installed, or cannot be run", async () => {
  const missing = { code: "backend.program-missing", says: /Debian's package is rclone/ } as const;
  await openFails("rclone:disk:x", { settings: { program: "no-such-rclone" } }, missing);
  const cannot = { code: "backend.program-missing", says: /permissions/ } as const;
  await openFails("rclone:disk:x", { settings: { program: config.path } }, cannot);
});

test("a remote that rclone does not know", async () => {
  const unknown = { code: "backend.misconfigured", says: /rclone listremotes/ } as const;
  await openFails("rclone:nobody:x", {}, unknown);
});

test("arguments that rclone does not know", async () => {
  const bad = { code: "backend.misconfigured", says: /-o rclone.args/ } as const;
  await openFails("rclone:disk:x", { settings: { args: "serve restic --stdio --no-such" } }, bad);
});

test("a configuration that is encrypted, without its password and with a wrong one", async () => {
  const path = join(scratch, "encrypted.conf");
  // As rclone writes it: a line that says so, and a box that the password opens.
  writeFileSync(
    path,
    `# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\n${"A".repeat(120)}\n`,
  );
  chmodSync(path, 0o600);
  const locked = { ...env, RCLONE_CONFIG: path };
  const says = /RCLONE_CONFIG_PASS/;
  await openFails("rclone:disk:x", { env: locked }, { code: "backend.misconfigured", says });
  const wrong = { ...locked, RCLONE_CONFIG_PASS: "not-the-password" };
  const secrets = ["not-the-password"];
  await openFails(
    "rclone:disk:x",
    { env: wrong },
    { code: "backend.misconfigured", says, secrets },
  );
});

test("a store that does not answer rclone is told in rclone's words, without secrets", async () => {
  const settings = { args: "serve restic --stdio --retries=1 --low-level-retries=1" };
  const secrets = ["some-secret", "an0ther-secret"];
  const says = /connection refused/;
  const failed = { code: "backend.unreachable", says, secrets } as const;
  await openFails("rclone:broken:bucket", { settings }, failed);
  const inline = 'rclone::webdav,url="http://127.0.0.1:1",bearer_token=an0ther-secret:bucket';
  await openFails(inline, { settings }, failed);
});

test("settings that are wrong are refused before anything is started", async () => {
  const bad = { code: "option.invalid", says: /-o rclone\./ } as const;
  for (const settings of [
    { connections: "0" },
    { connections: "many" },
    { timeout: "soon" },
    { "list-lag": "1d" },
    { program: "" },
    { args: 'serve "restic' },
  ]) {
    await openFails("rclone:disk:x", { settings }, bad);
  }
  const noRemote = { code: "option.invalid", says: /rclone:remote:path/ } as const;
  await openFails("rclone:", {}, noRemote);
  await openFails("rclone:--config=x", {}, { code: "option.invalid", says: /dash/ });
});

test("an rclone that dies fails the call in a way that may pass; the next starts another", async () => {
  await using backend = await rcloneBackendFactory.create("rclone:whole:dying", { env });
  await backend.save(CONFIG, new Uint8Array(9));
  for (let i = 0; i < 3; i++) {
    const [running] = processesWith("whole:dying");
    assert.ok(running !== undefined);
    const loads = Promise.allSettled([
      backend.save(PACK, new Uint8Array(64 << 20)),
      backend.stat(CONFIG),
      backend.load(CONFIG),
    ]);
    process.kill(running.pid, "SIGKILL");
    for (const outcome of await loads) {
      if (outcome.status === "fulfilled") continue;
      assert.ok(outcome.reason instanceof ComebackError, String(outcome.reason));
      assert.equal(outcome.reason.retryable, true, String(outcome.reason.why));
    }
    assert.deepEqual(await backend.stat(CONFIG), { sizeBytes: 9 });
  }
});

test("rclone ends with its backend, and gets none of our passwords", async () => {
  const secrets = { COMEBACK_PASSWORD: "geh3im-1", RESTIC_PASSWORD: "geh3im-2" };
  const rest = { RESTIC_REST_PASSWORD: "geh3im-3" };
  const options = { env: { ...env, ...secrets, ...rest } };
  const backend = await rcloneBackendFactory.create("rclone:disk:watched", options);
  const [running] = processesWith("disk:watched");
  assert.ok(running !== undefined);
  assert.match(running.environment, /RCLONE_CONFIG=/);
  assert.doesNotMatch(running.environment, /geh3im/);
  assert.doesNotMatch(running.command, /geh3im/);
  await backend[Symbol.asyncDispose]();
  assert.deepEqual(processesWith("disk:watched"), []);
});

test("rclone ends with us, however we end", async () => {
  const script = `
    import { rcloneBackendFactory } from "@comeback/backend-rclone";
    await rcloneBackendFactory.create("rclone:disk:orphan");
    process.kill(process.pid, "SIGKILL");
  `;
  const cwd = join(import.meta.dirname, "../../..");
  const [node] = process.argv;
  assert.throws(() =>
    execFileSync(node ?? "node", ["--input-type=module", "-e", script], { cwd, env }),
  );
  await waitUntil("rclone has ended", () => processesWith("disk:orphan").length === 0);
});
