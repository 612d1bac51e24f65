import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { verifyAudit } from "@comeback/catalog";
import { SeededRandom } from "@comeback/testkit";
import { TemporaryCatalogs } from "./temporary-catalog.ts";

const PROGRAM = fileURLToPath(new URL("append-from-process.ts", import.meta.url));
const PROCESSES = 4;
const ENTRIES = 50;

test("processes that make the catalog and write into it at once: one chain, nothing lost", async () => {
  await using catalogs = new TemporaryCatalogs();
  const names = Array.from({ length: PROCESSES }, (_, i) => `process ${i}`);
  await Promise.all(
    names.map((name) =>
      promisify(execFile)(process.execPath, [PROGRAM, catalogs.path, name, String(ENTRIES)]),
    ),
  );
  const store = await catalogs.open();
  const report = await verifyAudit(store);
  assert.equal(report.broken, undefined);
  assert.equal(report.entries, PROCESSES * ENTRIES);
  const entries = await store.listAudit(0, 1_000);
  for (const name of names) {
    const own = entries.filter(({ actor }) => actor === name).map(({ subject }) => subject);
    assert.deepEqual(
      own,
      Array.from({ length: ENTRIES }, (_, number) => `${name} ${number}`),
    );
  }
  assert.equal((await store.listRuns({ limit: 1_000 })).length, PROCESSES * ENTRIES);
  const [state] = await store.planStates();
  assert.equal(state?.lastRun?.id, `process ${PROCESSES - 1} ${ENTRIES - 1}`);
});

test("kill -9 at any moment: what was said to be written is there, and all of it holds", async () => {
  const random = new SeededRandom(77);
  await using catalogs = new TemporaryCatalogs();
  const store = await catalogs.open();
  let before = 0;
  for (let round = 0; round < 6; round++) {
    const name = `round ${round}`;
    const said = await killAfter(catalogs.path, name, random.integer(0, 40));
    const entries = (await store.listAudit(before, 10_000)).map(({ subject }) => subject);
    const where = `seed ${random.seed}, ${name}`;
    assert.deepEqual(entries.slice(0, said.length), said, where);
    const last = said.at(-1);
    if (last !== undefined) assert.notEqual(await store.findRun(last), undefined, where);
    const report = await verifyAudit(store);
    assert.equal(report.broken, undefined, where);
    before = report.entries;
  }
});

/** The lines that it said until it was killed, at the line of that number. */
async function killAfter(location: string, name: string, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, [PROGRAM, location, name, "100000"]);
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString("utf8");
    if (said.split("\n").length > lines) child.kill("SIGKILL");
  });
  await new Promise((resolve) => child.once("close", resolve));
  return said.split("\n").slice(0, -1);
}
