import { join } from "node:path";
import { test } from "node:test";
import { type ConnectionFaults, SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { memoryFolder } from "../drivers/scratch.ts";
import { RESTIC_018 } from "../drivers/tools.ts";
import { FarSsh } from "./far-ssh.ts";
import { assertNothingLost, liveThroughStorm, makeCorpus } from "./far-place.ts";

const SEED = 814;
const MiB = 1024 * 1024;

/** Connections that end in some way after some bytes, or are only slow; one after the other. */
class BadConnections {
  /** The kinds that have not come yet. */
  readonly missing: Set<string>;
  readonly #kinds: readonly (readonly [name: string, make: () => ConnectionFaults])[];
  #made = 0;

  constructor(random: SeededRandom) {
    const some = (): number => random.integer(1, 4 * MiB);
    this.#kinds = [
      ["reset while sending", () => ({ up: { resetAfterBytes: some() } })],
      ["refused", () => ({ refuse: true })],
      // Another bit in what ssh sends or gets is found by its own checksum, and ends the connection.
      ["flip while sending", () => ({ up: { flipAtByte: some() } })],
      [
        "slow, then reset",
        () => ({ up: { latencyMs: 40 }, down: { latencyMs: 40, resetAfterBytes: some() } }),
      ],
      ["ended", () => ({ down: { endAfterBytes: some() } })],
      ["reset at once", () => ({ up: { resetAfterBytes: random.integer(0, 3_000) } })],
      ["flip while getting", () => ({ down: { flipAtByte: some() } })],
      ["reset late", () => ({ down: { resetAfterBytes: 5 * MiB } })],
    ];
    this.missing = new Set(this.#kinds.map(([name]) => name));
  }

  readonly choose = (): ConnectionFaults => {
    const [name, make] = this.#kinds[this.#made++ % this.#kinds.length]!;
    this.missing.delete(name);
    return make();
  };
}

test(`an ssh server behind a bad network: all gets through, seed ${SEED}`, async () => {
  const folder = memoryFolder("faults-sftp");
  const far = await FarSsh.start(folder);
  const { proxy } = far;
  const root = join(folder, "repository");
  const client = far.client("far", root);
  await far.client("direct", root).done(["init"]);
  const storm = new BadConnections(new SeededRandom(SEED));
  const restic = new Client(RESTIC_018, root);
  const corpus = makeCorpus(folder, SEED);
  const place = { client, folder, corpus, resticChecks: () => restic.check() };
  proxy.usually(storm.choose);
  await liveThroughStorm(place, () => storm.missing);
  proxy.always();
  await assertNothingLost(place);
});
