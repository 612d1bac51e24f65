import assert from "node:assert/strict";
import { test } from "node:test";
import { pacedSlices, type SaveOptions, type RepositoryFile } from "@comeback/core";
import { MemoryBackend, SeededRandom, SimulatedClock } from "@comeback/testkit";
import { RateLimitedBackend } from "../src/index.ts";
import { driven } from "./drive-clock.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const random = new SeededRandom(21);

function newPack(): RepositoryFile {
  return { type: "pack", name: random.hex(32) };
}

/** Notes when bytes go through; with a pace, slice by slice. */
class WireBackend extends MemoryBackend {
  readonly sent: { readonly atMs: number; readonly bytes: number; readonly name: string }[] = [];
  readonly clock: SimulatedClock;
  readonly pacesTransfers: boolean;

  constructor(clock: SimulatedClock, pacesTransfers: boolean) {
    super();
    this.clock = clock;
    this.pacesTransfers = pacesTransfers;
  }

  override async save(file: RepositoryFile, data: Uint8Array, options: SaveOptions): Promise<void> {
    const note = (bytes: number): void => {
      this.sent.push({ atMs: this.clock.now(), bytes, name: file.name });
    };
    if (this.pacesTransfers && options.pace !== undefined) {
      for await (const slice of pacedSlices(data, options.pace, options.signal)) {
        note(slice.byteLength);
      }
    } else note(data.byteLength);
    await super.save(file, data, options);
  }
}

/** The most that goes through in any window of so many milliseconds. */
function mostWithin({ sent }: WireBackend, windowMs: number): number {
  const sums = sent.map(({ atMs }) =>
    sent
      .filter((other) => other.atMs >= atMs && other.atMs < atMs + windowMs)
      .reduce((sum, { bytes }) => sum + bytes, 0),
  );
  return Math.max(...sums);
}

test("at the wire: a pack does not burst, whatever the rate and the number of connections", async () => {
  for (const rate of [30 * KiB, MiB, 5 * MiB]) {
    const clock = new SimulatedClock();
    const wire = new WireBackend(clock, true);
    const backend = new RateLimitedBackend(wire, { uploadBytesPerSecond: rate }, clock);
    const bytes = 3 * 16 * MiB;
    const saves = [1, 2, 3].map(() => backend.save(newPack(), random.bytes(16 * MiB)));
    const startMs = clock.now();
    await driven(clock, Promise.all(saves));
    const seconds = (clock.now() - startMs) / 1000;
    assert.ok(seconds >= bytes / rate / 1.1 && seconds <= (bytes / rate) * 1.1, `${seconds}`);
    const [second, half] = [mostWithin(wire, 1000), mostWithin(wire, 30_000)];
    assert.ok(second <= rate * 1.1 + 3 * 16 * KiB, `${rate}: ${second} in a second`);
    assert.ok(half <= rate * 30 * 1.1, `${rate}: ${half} in 30 s`);
  }
});

test("without pace at the wire: whole files, at the rate on average", async () => {
  const clock = new SimulatedClock();
  const wire = new WireBackend(clock, false);
  const rate = 4 * MiB;
  const backend = new RateLimitedBackend(wire, { uploadBytesPerSecond: rate }, clock);
  const startMs = clock.now();
  for (let i = 0; i < 10; i++) {
    await driven(clock, backend.save(newPack(), random.bytes(16 * MiB)));
    const allowed = ((clock.now() - startMs) / 1000) * rate * 1.1;
    assert.ok((i + 1) * 16 * MiB <= allowed, `after ${i + 1} packs`);
  }
  const seconds = (clock.now() - startMs) / 1000;
  assert.ok(seconds <= (160 * MiB * 1.1) / rate, `${seconds}`);
});

test("downloads have a rate of their own", async () => {
  const clock = new SimulatedClock();
  const memory = new MemoryBackend();
  const limits = { downloadBytesPerSecond: MiB };
  const backend = new RateLimitedBackend(memory, limits, clock);
  const file = newPack();
  const startMs = clock.now();
  await driven(clock, backend.save(file, random.bytes(8 * MiB)));
  assert.equal(clock.now(), startMs);
  const loads = [{}, { offset: MiB, length: 4 * MiB }].map((range) => backend.load(file, range));
  await driven(clock, Promise.all(loads));
  const seconds = (clock.now() - startMs) / 1000;
  assert.ok(seconds >= 12 / 1.1 && seconds <= 12 * 1.1, `${seconds}`);
});

test("a small file does not wait for the large ones before it", async () => {
  const clock = new SimulatedClock();
  const wire = new WireBackend(clock, true);
  const backend = new RateLimitedBackend(wire, { uploadBytesPerSecond: 100 * KiB }, clock);
  const packs = Promise.all([1, 2, 3, 4].map(() => backend.save(newPack(), random.bytes(4 * MiB))));
  await clock.advance(5_000);
  const startMs = clock.now();
  const lock: RepositoryFile = { type: "lock", name: random.hex(32) };
  await driven(clock, backend.save(lock, random.bytes(200)));
  assert.ok(clock.now() - startMs < 5_000, `${clock.now() - startMs} ms`);
  await driven(clock, packs);
});

test("an abort ends the wait, and a clock that is set back stops nothing", async () => {
  const clock = new SimulatedClock();
  let offsetMs = 0;
  const moved = {
    now: () => clock.now() + offsetMs,
    sleep: (delayMs: number, signal?: AbortSignal) => clock.sleep(delayMs, signal),
  };
  const memory = new MemoryBackend();
  const backend = new RateLimitedBackend(memory, { uploadBytesPerSecond: MiB }, moved);
  const controller = new AbortController();
  const reason = new Error("enough");
  const aborted = backend.save(newPack(), random.bytes(9 * MiB), { signal: controller.signal });
  await clock.advance(1_000);
  controller.abort(reason);
  await assert.rejects(aborted, (error) => error === reason);
  offsetMs = -86_400_000;
  const startMs = clock.now();
  await driven(clock, backend.save(newPack(), random.bytes(MiB)));
  assert.ok(clock.now() - startMs < 3_000, `${clock.now() - startMs} ms`);
});
