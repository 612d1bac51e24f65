import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { PACE_SLICE_MAX_BYTES, type RepositoryFile, type TransferPace } from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";
import { sftpFixture, startPlace } from "./sftp-fixture.ts";

const place = await startPlace("sftp-pacing");
const data = new SeededRandom(37).bytes(3_000_001);
const pack: RepositoryFile = { type: "pack", name: hash("sha256", data, "hex") };

/** Lets everything through, and remembers it, and how many asked at once. */
class Recording {
  readonly passed: number[] = [];
  mostAtOnce = 0;
  #asking = 0;

  readonly pace: TransferPace = async (bytes) => {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#asking);
    this.passed.push(bytes);
    await new Promise((resolve) => setImmediate(resolve));
    this.#asking--;
  };

  assertAll(sizeBytes: number): void {
    assert.equal(
      this.passed.reduce((sum, bytes) => sum + bytes, 0),
      sizeBytes,
    );
    assert.ok(Math.max(...this.passed) <= PACE_SLICE_MAX_BYTES);
    assert.equal(this.mostAtOnce, 1, "others stand in the same line");
  }
}

test("a rate is asked for every part of a transfer, for one after the other", async () => {
  await using fixture = await sftpFixture(place);
  const { backend } = fixture;
  assert.equal(backend.pacesTransfers, true);
  const up = new Recording();
  await backend.save(pack, data, { pace: up.pace });
  up.assertAll(data.byteLength);
  const down = new Recording();
  assert.ok(Buffer.from(await backend.load(pack, { pace: down.pace })).equals(data));
  down.assertAll(data.byteLength);
  const part = new Recording();
  const range = { offset: 12_345, length: 700_000 };
  const got = await backend.load(pack, { ...range, pace: part.pace });
  assert.ok(Buffer.from(got).equals(data.subarray(12_345, 712_345)));
  part.assertAll(range.length);
});

test("who waits for the rate can be interrupted, and leaves nothing behind", async () => {
  await using fixture = await sftpFixture(place);
  const { backend } = fixture;
  for (const call of ["save", "load"] as const) {
    const stop = new AbortController();
    const reason = new Error("enough");
    let asked = 0;
    const pace: TransferPace = async (_bytes, signal) => {
      if (++asked < 20) return;
      const { promise, reject } = Promise.withResolvers<never>();
      signal?.addEventListener("abort", () => reject(reason), { once: true });
      setImmediate(() => stop.abort(reason));
      await promise;
    };
    const options = { pace, signal: stop.signal };
    const made = call === "save" ? backend.save(pack, data, options) : backend.load(pack, options);
    await assert.rejects(made, (error) => error === reason, call);
    if (call === "save") {
      await assert.rejects(backend.stat(pack), { code: "backend.not-found" });
      await backend.save(pack, data);
    }
  }
});
