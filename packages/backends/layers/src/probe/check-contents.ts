import { type CheckStage, MiB } from "./check-stage.ts";
import { expect, expectRefusal, expectSameBytes } from "./contract-breach.ts";

/** Files of any size come back as they were saved. */
export async function checkSizes(
  { backend, newFile, newData }: CheckStage,
  sizes: readonly number[] = [0, 1, 4095, 4096, 4097, 4 * MiB, 4 * MiB + 1, 32 * MiB],
): Promise<void> {
  for (const sizeBytes of sizes) {
    const data = newData(sizeBytes);
    const file = newFile("pack", data);
    await backend.save(file, data);
    expectSameBytes(await backend.load(file), data, `a file of ${sizeBytes} bytes`);
    const { sizeBytes: told } = await backend.stat(file);
    expect(told === sizeBytes, `a file of ${sizeBytes} bytes is said to have ${told}`);
  }
}

/** A load gives exactly the range that was asked for. */
export async function checkRanges({ backend, newFile, newData }: CheckStage): Promise<void> {
  const size = 5 * MiB + 17;
  const data = newData(size);
  const file = newFile("pack", data);
  await backend.save(file, data);
  const edges = [
    [0, 0],
    [0, 1],
    [0, size],
    [size - 1, 1],
    [size, 0],
    [MiB, 4 * MiB + 1],
  ] as const;
  // Anywhere: the data itself is as random as anything.
  const anywhere = Array.from({ length: 30 }, (_, i) => {
    const view = new DataView(data.buffer, data.byteOffset + 8 * i, 8);
    const offset = view.getUint32(0) % size;
    return [offset, view.getUint32(4) % (size - offset + 1)] as const;
  });
  for (const [offset, length] of [...edges, ...anywhere]) {
    const loaded = await backend.load(file, { offset, length });
    const what = `the range of ${length} bytes at ${offset}`;
    expectSameBytes(loaded, data.subarray(offset, offset + length), what);
  }
  expectSameBytes(await backend.load(file, { offset: 99 }), data.subarray(99), "99 to the end");
  expectSameBytes(await backend.load(file, { length: 99 }), data.subarray(0, 99), "the first 99");
  const end = await backend.load(file, { offset: size });
  expectSameBytes(end, new Uint8Array(0), "the range behind the last byte");
}

/** A file that is too short is an error, never a shorter result. */
export async function checkRangesBeyondEnd(stage: CheckStage): Promise<void> {
  const { backend, newFile, newData } = stage;
  const data = newData(100);
  const file = newFile("pack", data);
  await backend.save(file, data);
  const ranges = [
    { offset: 0, length: 101 },
    { offset: 100, length: 1 },
    { offset: 101, length: 0 },
    { offset: 101 },
    { offset: 2 ** 40, length: 1 },
    { offset: 0, length: 2 ** 40 },
    { offset: Number.MAX_SAFE_INTEGER, length: Number.MAX_SAFE_INTEGER },
  ];
  for (const range of ranges) {
    const what = `${range.length ?? "all"} bytes at ${range.offset} of a file of 100`;
    await expectRefusal(backend.load(file, range), "backend.io", what);
  }
}
