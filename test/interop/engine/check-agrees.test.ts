import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { type FileType, isComebackError } from "@comeback/core";
import { check, type CheckResult, type Repository } from "@comeback/engine";
import { randomTree } from "@comeback/testkit";
import { Client } from "../../drivers/client.ts";
import { makeFolder, memoryFolder, scratchFolder } from "../../drivers/scratch.ts";
import { RESTIC_014, RESTIC_018, type Tool } from "../../drivers/tools.ts";
import { initCheaply, openRepository } from "./open-repository.ts";

/** What restic calls sound or damaged we do as well, and we name the file. */
const folder = memoryFolder("check-agrees");
const source = join(scratchFolder("check-agrees-source"), "source");

interface Base {
  readonly name: string;
  readonly tool: Tool;
  readonly version: 1 | 2;
  readonly location: string;
}

const BASES: readonly Base[] = [
  { tool: RESTIC_018, version: 2 as const },
  { tool: RESTIC_014, version: 1 as const },
].map(({ tool, version }) => {
  const name = `${tool.name}, version ${version}`;
  return { name, tool, version, location: join(folder, name.replaceAll(/\W+/g, "-")) };
});

interface Victim {
  readonly type: FileType;
  readonly name: string;
  readonly path: string;
  /** The first byte and the length of one blob, for packs. */
  readonly blob: readonly [number, number];
}

/** One file of each kind; for packs the one of data or of trees. */
async function victimOf(location: string, kind: string): Promise<Victim> {
  const type = kind.replace(/^(data|tree) /, "") as FileType;
  if (type === "config") return { type, name: "", path: join(location, "config"), blob: [0, 0] };
  if (type !== "pack") {
    const name = readdirSync(join(location, folderOf(type)))[0]!;
    return { type, name, path: join(location, folderOf(type), name), blob: [0, 0] };
  }
  await using repository = await openRepository(location);
  const { table, packIds } = await repository.loadIndex();
  for (let entry = 0; entry < table.count; entry++) {
    if (`${table.typeOf(entry)} pack` !== kind) continue;
    const { pack, offset, length } = table.locationOf(entry);
    const name = packIds[pack]!;
    return {
      type,
      name,
      path: join(location, "data", name.slice(0, 2), name),
      blob: [offset, length],
    };
  }
  throw new Error(`there is no ${kind}`);
}

function folderOf(type: FileType): string {
  return type === "index" ? "index" : `${type}s`;
}

type Change = (bytes: Buffer, victim: Victim) => Buffer | undefined;

const flip =
  (place: (bytes: Buffer, victim: Victim) => number): Change =>
  (bytes, victim) => {
    const at = place(bytes, victim);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0x04, at);
    return bytes;
  };
const gone: Change = () => undefined;
const cutTo =
  (part: number): Change =>
  (bytes) =>
    bytes.subarray(0, Math.floor(bytes.length * part));

const START = flip(() => 3);
const MIDDLE = flip((bytes) => bytes.length >> 1);
const END = flip((bytes) => bytes.length - 1);
const HEADER = flip((bytes) => bytes.length - 40);
const TRAILER = flip((bytes) => bytes.length - 3);
const BLOB = flip((_bytes, { blob }) => blob[0] + (blob[1] >> 1));
const LONGER: Change = (bytes) => Buffer.concat([bytes, Buffer.from("x")]);
const OTHER: Change = (bytes) => Buffer.alloc(bytes.length, "z");

const CASES: readonly [kind: string, how: string, change: Change][] = [
  ["config", "flipped", MIDDLE],
  ["config", "cut", cutTo(0.5)],
  ["config", "empty", cutTo(0)],
  ["config", "deleted", gone],
  ["key", "flipped", MIDDLE],
  ["key", "cut", cutTo(0.5)],
  ["key", "deleted", gone],
  ["index", "flipped at its start", START],
  ["index", "flipped in the middle", MIDDLE],
  ["index", "flipped at its end", END],
  ["index", "cut", cutTo(0.5)],
  ["index", "empty", cutTo(0)],
  ["index", "deleted", gone],
  ["snapshot", "flipped", MIDDLE],
  ["snapshot", "cut", cutTo(0.5)],
  ["snapshot", "empty", cutTo(0)],
  ["snapshot", "deleted", gone],
  ["data pack", "with a flipped blob", BLOB],
  ["data pack", "with a flipped header", HEADER],
  ["data pack", "with a flipped trailer", TRAILER],
  ["data pack", "cut", cutTo(0.9)],
  ["data pack", "longer", LONGER],
  ["data pack", "with other bytes", OTHER],
  ["data pack", "deleted", gone],
  ["tree pack", "with a flipped blob", BLOB],
  ["tree pack", "with a flipped header", HEADER],
  ["tree pack", "cut", cutTo(0.5)],
  ["tree pack", "deleted", gone],
];

/** restic 0.14 asks for a pack that is too short for three quarters of a minute. */
function isQuickFor014([kind, how]: (typeof CASES)[number]): boolean {
  return !kind.endsWith("pack") || !["cut", "deleted"].includes(how);
}

async function ourVerdict(location: string, all: boolean): Promise<CheckResult | "unusable"> {
  let repository: Repository;
  try {
    repository = await openRepository(location);
  } catch (error) {
    assert.ok(isComebackError(error), String(error));
    assert.ok(error.next !== undefined || error.why !== undefined, "it says why or what to do");
    return "unusable";
  }
  await using open = repository;
  return await check({ repository: open, readData: { kind: all ? "all" : "none" } });
}

before(async () => {
  randomTree(source, 601, { entries: 120, largeFiles: true });
  for (const { tool, version, location } of BASES) {
    await initCheaply(location, version);
    const client = new Client(tool, location);
    await client.backup([source]);
    await client.backup([makeFolder(source, "later")]);
  }
});

for (const { name, tool, location } of BASES) {
  describe(`a repository that ${name} wrote`, () => {
    it("is sound for both", async () => {
      await new Client(tool, location).check();
      const result = await ourVerdict(location, true);
      assert.ok(result !== "unusable");
      assert.deepEqual(result.problems, []);
      assert.deepEqual(result.hints, []);
      assert.equal(result.counts.snapshots, 2);
      assert.equal(result.counts.packsRead, result.counts.packs);
      assert.equal(result.counts.blobsVerified, result.counts.blobs);
    });

    const cases = tool === RESTIC_014 ? CASES.filter(isQuickFor014) : CASES;
    for (const [kind, how, change] of cases) {
      it(`a ${kind} ${how}`, async () => {
        const copy = join(folder, "damaged");
        rmSync(copy, { recursive: true, force: true });
        cpSync(location, copy, { recursive: true });
        const victim = await victimOf(copy, kind);
        const changed = change(readFileSync(victim.path), victim);
        rmSync(victim.path, { force: true });
        if (changed !== undefined) writeFileSync(victim.path, changed);
        const restic = new Client(tool, copy);
        for (const all of [true, false]) {
          const { exitCode } = await restic.run(["check", ...(all ? ["--read-data"] : [])]);
          const ours = await ourVerdict(copy, all);
          const isSound = ours !== "unusable" && ours.ok;
          // Trees are always read by us with their whole pack: then its header counts, too.
          const isStricter = kind === "tree pack" && how.endsWith("header") && !all;
          assert.equal(isSound, exitCode === 0 && !isStricter, `read all: ${all}`);
          if (ours === "unusable") {
            assert.ok(kind === "config" || kind === "key");
          } else if (!ours.ok && !(kind === "index" && how === "deleted")) {
            const named = ours.problems.map(({ file }) => file?.name);
            assert.ok(named.includes(victim.name), JSON.stringify(ours.problems));
          }
        }
        assert.equal(existsSync(join(copy, "config")), kind !== "config" || changed !== undefined);
      });
    }
  });
}
