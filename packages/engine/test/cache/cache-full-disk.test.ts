/* A cache on a real disk that is full; in a mount namespace of its own, which needs privileges. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ComebackError } from "@comeback/core";
import { MemoryBackend, SeededRandom, SimulatedClock } from "@comeback/testkit";
import { cachedBackend } from "../../src/cache/cached-backend.ts";
import { cacheFolder } from "./cache-folder.ts";

async function onFullDisk(): Promise<void> {
  using folder = cacheFolder();
  const directory = folder.path;
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "none", directory]);
  try {
    const inner = new MemoryBackend();
    const random = new SeededRandom(9);
    const warnings: ComebackError[] = [];
    const clock = new SimulatedClock();
    const onWarning = (warning: ComebackError): void => void warnings.push(warning);
    const repositoryId = "7".repeat(64);
    const backend = await cachedBackend(inner, { directory, repositoryId, clock, onWarning });
    for (const sizeBytes of [1000, 2 * 1024 * 1024, 1000]) {
      const data = random.bytes(sizeBytes);
      const name = createHash("sha256").update(data).digest("hex");
      await backend.save({ type: "index", name }, data);
      for (let i = 0; i < 2; i++) {
        const loaded = await backend.load({ type: "index", name });
        assert.equal(Buffer.compare(loaded, data), 0);
      }
    }
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ["cache.unusable"],
    );
    assert.match(String(warnings[0]?.why), /ENOSPC/);
    assert.equal(readdirSync(`${directory}/${repositoryId}/index`).length, 1);
  } finally {
    execFileSync("umount", ["-l", directory]);
  }
}

if (process.env["COMEBACK_MOUNT_NAMESPACE"] === "1") {
  test("a full disk: one warning, and the work goes on", onFullDisk);
} else {
  test("a cache on a full disk, in a mount namespace of its own", () => {
    const asRoot = process.getuid?.() === 0;
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
    const result = spawnSync(
      "unshare",
      [
        ...(asRoot ? [] : ["--user", "--map-root-user"]),
        "--mount",
        process.execPath,
        "--test-reporter=tap",
        fileURLToPath(import.meta.url),
      ],
      { encoding: "utf8", env: { ...environment, COMEBACK_MOUNT_NAMESPACE: "1" } },
    );
    assert.equal(result.status, 0, `${String(result.error ?? "")}${result.stdout}${result.stderr}`);
    assert.match(result.stdout, /^# pass 1$/m);
  });
}
