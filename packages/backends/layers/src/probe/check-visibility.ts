import type { FileType } from "@comeback/core";
import { isNamedAfter } from "../compare-stored.ts";
import { type CheckStage, expectAbsent, listedFiles, NAMED_TYPES } from "./check-stage.ts";
import { expect, expectSameBytes } from "./contract-breach.ts";

/** Lists show every file as soon as it is saved, by type, with its size; to others after the lag. */
export async function checkListAfterWrite(
  { backend, other, clock, newFile, newData }: CheckStage,
  filesOfAType = 40,
): Promise<void> {
  for (const type of NAMED_TYPES) {
    const expected = new Map(await listedFiles(backend, type));
    for (let i = 0; i < filesOfAType; i++) {
      // Long enough for no two of them to be the same.
      const data = newData(32 + i);
      const file = newFile(type, data);
      await backend.save(file, data);
      expected.set(file.name, data.byteLength);
    }
    await expectListed(backend, type, expected);
    if (other.listLagMs > 0) await clock.sleep(other.listLagMs);
    await expectListed(other, type, expected);
  }
}

async function expectListed(
  backend: CheckStage["backend"],
  type: FileType,
  expected: ReadonlyMap<string, number>,
): Promise<void> {
  const listed = await listedFiles(backend, type);
  for (const [name, sizeBytes] of expected) {
    const found = listed.get(name);
    expect(found !== undefined, `a list does not show a ${type} file that was saved before`);
    expect(found === sizeBytes, `a list shows ${found} bytes of a file of ${sizeBytes}`);
  }
  expect(listed.size === expected.size, `a list shows ${type} files that nobody saved`);
}

/** Removal is complete, may be repeated, leaves others alone, and frees the name. */
export async function checkRemoval(
  { backend, newFile, newData }: CheckStage,
  types: readonly FileType[] = ["config", ...NAMED_TYPES],
): Promise<void> {
  for (const type of types) {
    const data = newData(300);
    const file = newFile(type, data);
    const beside = newData(300);
    const neighbour = type === "config" ? undefined : newFile(type, beside);
    await backend.remove(file);
    await backend.save(file, data);
    if (neighbour !== undefined) await backend.save(neighbour, beside);
    await Promise.all([backend.remove(file), backend.remove(file)]);
    await expectAbsent(backend, file, `a ${type} file that was removed`);
    await backend.remove(file);
    const again = isNamedAfter(file, data) ? data : newData(200);
    await backend.save(file, again);
    expectSameBytes(await backend.load(file), again, "a file saved anew after its removal");
    await backend.remove(file);
    if (neighbour === undefined) continue;
    expectSameBytes(await backend.load(neighbour), beside, "the neighbour of a removed file");
    await backend.remove(neighbour);
  }
}
