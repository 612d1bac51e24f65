import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { type ConnectionFaults, FaultProxy, SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";
import { SshServer } from "../services/openssh/ssh-server.ts";
import { SshUser } from "../services/openssh/ssh-user.ts";
import { assertNothingLost, liveThroughStorm, makeCorpus } from "./far-place.ts";

/** Logs in as its user does. */
class SshClient extends Client {
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(repository: string, env: Readonly<Record<string, string | undefined>>) {
    super(COMEBACK, repository);
    this.#env = env;
  }

  override get environment(): Record<string, string | undefined> {
    return { ...super.environment, ...this.#env };
  }
}

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
  const server = await SshServer.start({ folder: join(folder, "server") });
  const proxy = await FaultProxy.start({ port: server.port });
  after(() => proxy[Symbol.asyncDispose]());
  const user = new SshUser(join(folder, "user"));
  server.allow(user.publicKey);
  user.trust(server);
  // The key is looked for under the name of the server, whatever is in front of it.
  const name = `[127.0.0.1]:${server.port}`;
  // Of several values for one setting, ssh takes the first.
  appendFileSync(user.configPath, `Host far\n  Port ${proxy.port}\n`);
  user.addHost("far", server, [`HostKeyAlias ${name}`]);
  user.addHost("direct", server);

  const root = join(folder, "repository");
  const env = user.environment;
  const clientOf = (host: string): Client => new SshClient(`sftp:${host}:${root}`, env);
  const client = clientOf("far");
  await clientOf("direct").done(["init"]);
  const storm = new BadConnections(new SeededRandom(SEED));
  const restic = new Client(RESTIC_018, root);
  const corpus = makeCorpus(folder, SEED);
  const place = { client, folder, corpus, resticChecks: () => restic.check() };
  proxy.usually(storm.choose);
  await liveThroughStorm(place, () => storm.missing);
  proxy.always();
  await assertNothingLost(place);
});
