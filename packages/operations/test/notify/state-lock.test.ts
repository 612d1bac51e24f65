import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { systemClock } from "@comeback/platform";
import { stateLock } from "@comeback/operations";

const stateFolder = mkdtempSync(join(tmpdir(), "comeback-notify-lock-"));
after(() => rmSync(stateFolder, { recursive: true }));

test("pieces of work under the lock happen one after the other, whoever does them", async () => {
  let inside = 0;
  let value = 0;
  const add = async (): Promise<void> => {
    inside++;
    assert.equal(inside, 1, "two at once");
    const before = value;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    value = before + 1;
    inside--;
  };
  // As many processes would: each with a lock of its own.
  const locks = Array.from({ length: 8 }, () => stateLock({ stateFolder, clock: systemClock }));
  await Promise.all(locks.map((lock) => lock(add)));
  assert.equal(value, 8);
});

test("a piece of work that fails lets go of the lock", async () => {
  const lock = stateLock({ stateFolder, clock: systemClock });
  await assert.rejects(
    lock(() => Promise.reject(new Error("no"))),
    /no/,
  );
  assert.equal(await lock(() => Promise.resolve(7)), 7);
});
