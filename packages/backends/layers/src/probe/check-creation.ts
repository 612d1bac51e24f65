import { type Backend, type FileType, isComebackError, type RepositoryFile } from "@comeback/core";
import { isNamedAfter } from "../compare-stored.ts";
import { type CheckStage, expectAbsent, listedFiles, MiB } from "./check-stage.ts";
import { ContractBreach, expect, expectRefusal, expectSameBytes } from "./contract-breach.ts";

/** A name that is taken is refused, and the file there stays as it was. */
export async function checkCreateOnly(
  { backend, newFile, newData }: CheckStage,
  types: readonly FileType[] = ["config", "pack", "index"],
): Promise<void> {
  for (const type of types) {
    const data = newData(500);
    const file = newFile(type, data);
    await backend.save(file, data);
    const what = `saving a ${type} file once more`;
    await expectRefusal(backend.save(file, newData(700)), "backend.exists", what);
    await expectRefusal(backend.save(file, data), "backend.exists", `${what}, the same`);
    expectSameBytes(await backend.load(file), data, `the ${type} file that was there first`);
    const listed = await listedFiles(backend, type);
    expect(listed.get(file.name) === 500, `a list shows ${type} files that lost`);
  }
}

/** Of saves under one name at the same time exactly one wins, and says so. */
export async function checkOneWinner(
  stage: CheckStage,
  types: readonly FileType[] = RACED_TYPES,
): Promise<void> {
  for (const type of types) {
    const { winners, saves } = await race(stage, type);
    expect(winners === 1, `${winners} of ${saves} saves at once succeeded`);
  }
}

/** The same where a store cannot refuse a name that is being taken: then some save wins, whole. */
export async function checkSomeWinner(stage: CheckStage): Promise<void> {
  for (const type of RACED_TYPES) {
    const { winners } = await race(stage, type);
    expect(winners >= 1, "no save came through");
  }
}

const RACED_TYPES: readonly FileType[] = ["pack", "key", "config"];

async function race(
  { backend, other, newFile, newData }: CheckStage,
  type: FileType,
): Promise<{ readonly winners: number; readonly saves: number }> {
  const first = newData(1000);
  const file = newFile(type, first);
  const clients = [backend, other] as const;
  // A name that belongs to one content has one version: then the number of winners tells.
  const isFixed = isNamedAfter(file, first);
  const versions = Array.from({ length: 8 }, (_, i) => (isFixed ? first : newData(1000 + i)));
  const outcomes = await Promise.allSettled(
    versions.map((data, i) => (clients[i % 2] as Backend).save(file, data)),
  );
  const winners = versions.filter((_, i) => outcomes[i]?.status === "fulfilled");
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled" || isComebackError(outcome.reason, "backend.exists")) {
      continue;
    }
    throw outcome.reason;
  }
  const stored = await backend.load(file);
  // Their lengths tell the versions apart.
  const winner = winners.find(({ byteLength }) => byteLength === stored.byteLength);
  expectSameBytes(stored, winner ?? new Uint8Array(0), "what a winner saved");
  return { winners: winners.length, saves: versions.length };
}

/** While a file is being saved another client sees nothing of it, or all. */
export async function checkNeverInPart(
  { backend, other, newFile, newData }: CheckStage,
  sizeBytes: number = 32 * MiB,
): Promise<void> {
  const data = newData(sizeBytes);
  const file = newFile("pack", data);
  const state = { saving: true };
  const saved = backend.save(file, data).finally(() => {
    state.saving = false;
  });
  // A failure is met below, once the look under way is done.
  saved.catch(() => {});
  for (let looks = 0; state.saving; looks++) {
    await expectAbsentOrWhole(looks % 2 === 0 ? other : backend, file, data);
  }
  await saved;
  expectSameBytes(await other.load(file), data, "a file that another client saved");
}

async function expectAbsentOrWhole(
  backend: Backend,
  file: RepositoryFile,
  data: Uint8Array,
): Promise<void> {
  const listed = (await listedFiles(backend, file.type)).get(file.name);
  const isWhole = listed === undefined || listed === data.byteLength;
  expect(isWhole, "a list shows a part of a file that is being saved");
  try {
    const { sizeBytes } = await backend.stat(file);
    expect(sizeBytes === data.byteLength, "a part of a file that is being saved can be seen");
    expectSameBytes(await backend.load(file), data, "a file that is being saved");
  } catch (error) {
    if (!isComebackError(error, "backend.not-found")) throw error;
  }
}

/** A signal that aborts after so many turns of the event loop, and its reason. */
export function abortAfterTurns(turns: number): {
  readonly signal: AbortSignal;
  readonly reason: Error;
} {
  const controller = new AbortController();
  const reason = new Error(`aborted after ${turns} turns`);
  const step = (left: number): void => {
    if (left === 0) controller.abort(reason);
    else setImmediate(step, left - 1);
  };
  step(turns);
  return { signal: controller.signal, reason };
}

/** An aborted save leaves nothing behind. Resolves to false where it was through already. */
export async function checkAbortedSave(
  { backend, newFile, newData }: CheckStage,
  { turns, sizeBytes }: { readonly turns: number; readonly sizeBytes: number },
): Promise<boolean> {
  const data = newData(sizeBytes);
  const file = newFile("pack", data);
  const { signal, reason } = abortAfterTurns(turns);
  try {
    await backend.save(file, data, { signal });
    expectSameBytes(await backend.load(file), data, "a save that came through");
    return false;
  } catch (error) {
    if (error !== reason) throw error;
  }
  await expectAbsent(backend, file, "a file whose save was aborted");
  try {
    await backend.save(file, data);
  } catch (error) {
    if (!isComebackError(error, "backend.exists")) throw error;
    throw new ContractBreach("an aborted save keeps its name taken");
  }
  expectSameBytes(await backend.load(file), data, "a file saved after an abort");
  return true;
}
