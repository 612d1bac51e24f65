import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { localBackendFactory } from "@comeback/backend-local";
import { byteStringFromText } from "@comeback/core";
import { backup, instantOfMilliseconds, Repository } from "@comeback/engine";
import { systemClock, systemRandom } from "@comeback/platform";
import { createFilesSource } from "@comeback/source-files";
import type { SeededRandom } from "@comeback/testkit";
import { PASSWORD } from "./client.ts";
import { makeFolder } from "./scratch.ts";

/** So small that few files are many packs, and there is much to be interrupted in. */
const PACK_BYTES = 20_000;
const FILES = 24;
const FILE_MAX_BYTES = 12_000;
const FIRST_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 24 * 3_600_000;

/** Opens a repository as a test looks at it; `password` where it is another one by now. */
export async function openFolder(folder: string, password: string = PASSWORD): Promise<Repository> {
  return Repository.open({
    backend: await localBackendFactory.open(folder),
    password,
    clock: systemClock,
    random: systemRandom,
    packSizeBytes: PACK_BYTES,
  });
}

/** A snapshot, and a folder that is as its source was then. */
export interface MadeSnapshot {
  readonly id: string;
  readonly copy: string;
}

export interface HistoryWish {
  /** The repository's folder. */
  readonly repository: string;
  readonly source: string;
  /** Where copies of the source are kept. */
  readonly copies: string;
  readonly random: SeededRandom;
  readonly snapshots: number;
  /** The day of the first, counted from 0: no two of a repository should be of the same. */
  readonly firstDay?: number;
}

/**
 * Backs a folder up a few times, a day apart; before each time some of its files are new, changed or
 * gone, so that every forgotten snapshot leaves packs that are used in part, or not at all.
 */
export async function writeHistory(wish: HistoryWish): Promise<MadeSnapshot[]> {
  const { source, copies, random, firstDay = 0 } = wish;
  const made: MadeSnapshot[] = [];
  for (let round = 0; round < wish.snapshots; round++) {
    changeFiles(source, random);
    await using repository = await openFolder(wish.repository);
    await repository.loadIndex();
    const { snapshot } = await backup({
      repository,
      source: createFilesSource({ targets: [byteStringFromText(source)] }),
      time: instantOfMilliseconds(FIRST_MS + (firstDay + round) * DAY_MS),
      hostname: "test",
      programVersion: "test",
    });
    const id = snapshot?.id ?? "";
    const copy = join(copies, id);
    // Node's own copy rounds times.
    execFileSync("cp", ["-a", source, copy]);
    made.push({ id, copy });
  }
  return made;
}

function changeFiles(source: string, random: SeededRandom): void {
  for (let i = 0; i < FILES; i++) {
    const path = join(makeFolder(source, `folder-${i % 3}`), `file-${i}`);
    if (random.chance(50)) continue;
    if (random.chance(10)) rmSync(path, { force: true });
    else writeFileSync(path, random.bytes(random.integer(1, FILE_MAX_BYTES)));
  }
}
