import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { openCatalog } from "@comeback/catalog";
import { systemClock } from "@comeback/platform";
import { jsonLines, type Outcome, runComeback, ScratchFolder } from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const START_MS = Date.UTC(2026, 10, 28, 2);
const LONG = "a-plan-whose-name-is-as-long-as-names-of-plans-may-possibly-be.yes";

const catalog = scratch.at("catalog.sqlite");
const { signal } = new AbortController();
const store = await openCatalog(catalog, { host: "web1", clock: systemClock, signal });
after(() => store[Symbol.asyncDispose]());

const configuration = scratch.at("comeback.yaml");
writeFileSync(configuration, "host: web1\ndestinations: {}\nplans: {}\n", { mode: 0o600 });

function run(...args: string[]): Outcome {
  return runComeback([...args, "--catalog", catalog], { env: { COMEBACK_CONFIG: configuration } });
}

function assertNarrow({ stdout }: Outcome): void {
  for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
}

test("sizes of repositories: each beside the one before of the same", async () => {
  const GIB = 2 ** 30;
  for (const [destination, day, sizeBytes] of [
    ["nas", 0, 2 * GIB],
    [LONG, 1, 5 * GIB],
    ["nas", 1, 3 * GIB],
    ["nas", 2, 1 * GIB],
  ] as const) {
    const atMs = START_MS + day * 86_400_000;
    await store.saveStatistics({ destination, atMs, snapshots: 1_500, packs: 70_000, sizeBytes });
  }
  const sizes = run("history", "--sizes");
  assert.equal(sizes.exitCode, 0, sizes.stderr);
  assertNarrow(sizes);
  const ofNas = sizes.stdout.split("\n").filter((line) => / nas /.test(line));
  assert.deepEqual(
    ofNas.map((line) => line.split(/ {2,}/).slice(-2)),
    [
      ["1.00 GiB", "-2.00 GiB"],
      ["3.00 GiB", "+1.00 GiB"],
      // Of the first, nobody knows what was before.
      ["70,000", "2.00 GiB"],
    ],
  );
  const [json] = jsonLines(run("history", "--sizes", "--destination", LONG, "--json").stdout);
  assert.deepEqual(
    (json as unknown as { destination: string }[]).map((one) => one.destination),
    [LONG],
  );
  assert.match(run("history", "--sizes", "--destination", "x").stdout, /no sizes were recorded/);
});

test("proofs: what was proven, and why what is not ok is not", async () => {
  const proof = {
    runId: "20261128-020000-4f2a",
    destination: LONG,
    kind: "check",
    atMs: START_MS,
  } as const;
  await store.saveProof({ ...proof, plan: "shop", outcome: "ok", message: "all packs" });
  await store.saveProof({
    ...proof,
    plan: LONG,
    kind: "restore-test",
    atMs: START_MS + 1_000,
    tookMs: 83_000,
    outcome: "failed",
    message: "a file came back \u001b[2J other than it was",
  });
  const proofs = run("history", "--proofs");
  assert.equal(proofs.exitCode, 0, proofs.stderr);
  assertNarrow(proofs);
  assert.match(proofs.stdout, /restore-test +83 s +failed\n.* check +ok\n\n- .*: a file came back/);
  assert.ok(!proofs.stdout.includes("\u001b"));
  assert.doesNotMatch(run("history", "--proofs", "--plan", "shop").stdout, /failed/);
  const [json] = jsonLines(run("history", "--proofs", "--json").stdout);
  assert.deepEqual((json as unknown as { took_ms?: number }[])[0]?.took_ms, 83_000);
  assert.match(run("history", "--proofs", "--plan", "x").stdout, /nothing was proven yet/);
});
