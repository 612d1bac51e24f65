import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { listLeftOver, undoLeftOver, UndoStack } from "@comeback/operations/undo";
import { systemClock } from "@comeback/platform";
import { SeededRandom } from "@comeback/testkit";
import { decodeJournal } from "../../src/undo/journal-lines.ts";
import { Flags, scratchFolder } from "./scratch.ts";

const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_264);
const SEQUENCES = 4;
const folder = scratchFolder();

/** What stood in the journal, and which flags were up, at one moment of a run. */
interface Moment {
  readonly journalBytes: number;
  readonly up: readonly string[];
}

/** A random run; all of its moments, and its journal as it was before its end removed it. */
async function randomRun(stateFolder: string, random: SeededRandom) {
  const flags = new Flags();
  const options = { runId: "run", plan: "shop", executor: flags.executor, clock: systemClock };
  const journal = join(stateFolder, "undo", "run.jsonl");
  const stack = await UndoStack.open({ ...options, stateFolder });
  const moments: Moment[] = [];
  const note = (): void => {
    moments.push({ journalBytes: statSync(journal).size, up: [...flags.up] });
  };
  note();
  flags.onChange = note;
  const handles: { readonly id: number }[] = [];
  for (let i = 0; i < 8; i++) {
    const name = `f${i}`;
    const request = { step: flags.step(name), description: name };
    if (handles.length > 0 && random.chance(30)) await stack.undo(random.pick(handles));
    else if (random.chance(20)) {
      const failing = stack.perform(request, async () => {
        flags.raise(name);
        throw new Error("half way");
      });
      await assert.rejects(failing);
    } else handles.push(await stack.perform(request, async () => flags.raise(name)));
    note();
  }
  await stack.undoAll();
  note();
  const bytes = readFileSync(journal);
  await stack[Symbol.asyncDispose]();
  return { bytes, moments };
}

/** Where a journal ends whose power failed: after each line, and somewhere in the next one. */
function crashPoints(bytes: Buffer, random: SeededRandom): number[] {
  const ends: number[] = [];
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) ends.push(at + 1);
  const torn = ends.slice(0, -1).map((end, i) => random.integer(end + 1, ends[i + 1]! - 1));
  return [...ends, ...torn].toSorted((a, b) => a - b);
}

test(`a crash at any moment leaves nothing behind, seed ${SEED}`, async () => {
  const random = new SeededRandom(SEED);
  let crashes = 0;
  for (let sequence = 0; sequence < SEQUENCES; sequence++) {
    const { bytes, moments } = await randomRun(join(folder, `s${sequence}`), random);
    for (const end of crashPoints(bytes, random)) {
      // What was not forced to the disk may be lost: the world may be ahead of the journal, up to
      // the next step, which was not done before its line was stored.
      const lineStart = bytes.lastIndexOf(0x0a, end - 1) + 1;
      const nextStep = bytes.indexOf('"type":"step"', lineStart);
      const until = nextStep < 0 ? bytes.length : bytes.indexOf(0x0a, nextStep);
      const before = moments.filter(({ journalBytes }) => journalBytes <= end).at(-1)!;
      const ahead = moments.filter((m) => m.journalBytes > end && m.journalBytes <= until);
      for (const { up } of [before, ...ahead]) {
        const stateFolder = join(folder, `c${crashes++}`);
        mkdirSync(join(stateFolder, "undo"), { recursive: true });
        writeFileSync(join(stateFolder, "undo", "run.jsonl"), bytes.subarray(0, end));
        const flags = new Flags();
        for (const name of up) flags.up.add(name);
        const executorFor = async () => flags.executor;
        await undoLeftOver(await listLeftOver(stateFolder), { executorFor, clock: systemClock });
        const where = `sequence ${sequence}, journal of ${end} bytes, up: ${up.join(" ")}`;
        assert.deepEqual([...flags.up], [], where);
        assert.deepEqual(readdirSync(join(stateFolder, "undo")), [], where);
      }
    }
  }
  assert.ok(crashes > 200, `${crashes} crashes`);
});

test(`every prefix of a journal reads as its whole lines, seed ${SEED}`, async () => {
  const { bytes } = await randomRun(join(folder, "prefixes"), new SeededRandom(SEED));
  const whole = decodeJournal(bytes);
  for (let end = 0; end <= bytes.length; end++) {
    const { records, damagedLines, wholeBytes } = decodeJournal(bytes.subarray(0, end));
    assert.deepEqual(damagedLines, []);
    assert.equal(wholeBytes, bytes.subarray(0, end).lastIndexOf(0x0a) + 1);
    assert.equal(records.length, bytes.subarray(0, end).filter((byte) => byte === 0x0a).length);
  }
  assert.equal(whole.wholeBytes, bytes.length);
});

test(`a flipped bit is never believed, seed ${SEED}`, async () => {
  const random = new SeededRandom(SEED);
  const { bytes } = await randomRun(join(folder, "bits"), random);
  const { records } = decodeJournal(bytes);
  const known = new Set(records.map((record) => JSON.stringify(record)));
  for (let i = 0; i < 2_000; i++) {
    const copy = Buffer.from(bytes);
    const at = random.integer(0, copy.length - 1);
    copy[at]! ^= 1 << random.integer(0, 7);
    const read = decodeJournal(copy);
    for (const record of read.records) assert.ok(known.has(JSON.stringify(record)), `byte ${at}`);
    const isLastEnd = at === bytes.length - 1;
    if (!isLastEnd) assert.ok(read.damagedLines.length > 0, `byte ${at} went unnoticed`);
  }
});
