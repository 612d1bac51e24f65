import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import type { ArchivedPack, Backend } from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";
import { KEY, refuse, respond, StandIn } from "./stand-in.ts";

/**
 * The emulator knows the archive tier, but takes no time to leave it: this stands in for the states
 * in between, as "Get Blob Properties", "List Blobs" and "Set Blob Tier" are documented.
 */
interface Stored {
  tier: string;
  archiveStatus?: string;
}

const random = new SeededRandom(5);
const BY_KEY = { AZURE_ACCOUNT_KEY: KEY };

function newName(): string {
  return random.hex(32);
}

/** The properties of a blob, as a list gives them. */
function listed(name: string, { tier, archiveStatus }: Stored): string {
  const status =
    archiveStatus === undefined ? "" : `<ArchiveStatus>${archiveStatus}</ArchiveStatus>`;
  return (
    `<Blob><Name>data/${name.slice(0, 2)}/${name}</Name><Properties>` +
    `<Content-Length>9</Content-Length><AccessTier>${tier}</AccessTier>${status}</Properties></Blob>`
  );
}

function serveArchive(
  standIn: StandIn,
  blobs: ReadonlyMap<string, Stored>,
  priorities: string[],
): void {
  standIn.answer = (request, response) => {
    const url = new URL(request.url ?? "", "http://x");
    if (url.searchParams.get("comp") === "list") {
      const all = [...blobs].map(([name, stored]) => listed(name, stored)).join("");
      const body = `<?xml version="1.0"?><EnumerationResults><Blobs>${all}</Blobs><NextMarker/></EnumerationResults>`;
      return respond(response, 200, body, { "content-type": "application/xml" });
    }
    const stored = blobs.get(url.pathname.slice(-64));
    if (stored === undefined) return refuse(response, 404, "BlobNotFound");
    if (url.searchParams.get("comp") === "tier") {
      priorities.push(String(request.headers["x-ms-rehydrate-priority"]));
      stored.archiveStatus = `rehydrate-pending-to-${String(request.headers["x-ms-access-tier"]).toLowerCase()}`;
      return respond(response, 202, "");
    }
    if (request.method === "GET") return refuse(response, 409, "BlobArchived");
    respond(response, 200, "", {
      "content-length": "9",
      "x-ms-access-tier": stored.tier,
      ...(stored.archiveStatus === undefined
        ? {}
        : { "x-ms-archive-status": stored.archiveStatus }),
    });
  };
}

async function statesOf(backend: Backend, names: string[]): Promise<Map<string, ArchivedPack>> {
  assert.ok(backend.archive);
  const states = await Array.fromAsync(backend.archive.states(names));
  assert.equal(new Set(states.map(({ name }) => name)).size, states.length);
  return new Map(states.map((state) => [state.name, state]));
}

test("a thaw: asked for, waited for, asked for again, done", async () => {
  await using standIn = await StandIn.start();
  const name = newName();
  const stored: Stored = { tier: "Archive" };
  const priorities: string[] = [];
  serveArchive(standIn, new Map([[name, stored]]), priorities);
  await using backend = await standIn.open(BY_KEY);
  const { archive } = backend;
  assert.ok(archive);
  const state = async (): Promise<string> =>
    (await statesOf(backend, [name])).get(name)?.state ?? "";
  assert.equal(await state(), "archived");
  await assert.rejects(backend.load({ type: "pack", name }), (error) =>
    isComebackError(error, "backend.archived"),
  );
  assert.deepEqual(archive.tiers("Archive"), [
    { name: "Standard", waitHours: 15 },
    { name: "High", waitHours: 1 },
  ]);
  assert.deepEqual(archive.tiers("Hot"), []);
  await archive.thaw(name, { tier: "Standard", days: 3 });
  assert.equal(stored.archiveStatus, "rehydrate-pending-to-hot");
  assert.equal(await state(), "thawing");
  await archive.thaw(name, { tier: "High", days: 3 });
  assert.deepEqual(priorities, ["Standard", "High"]);
  stored.tier = "Hot";
  delete stored.archiveStatus;
  assert.equal(await state(), "readable");
  await archive.thaw(name, { tier: "High", days: 3 });
  assert.equal(priorities.length, 2, "a readable pack was moved");
});

test("a thaw under way that cannot be asked for again is no error", async () => {
  await using standIn = await StandIn.start();
  await using backend = await standIn.open(BY_KEY);
  standIn.answer = (request, response) => {
    if (request.method === "PUT") return refuse(response, 409, "BlobBeingRehydrated");
    respond(response, 200, "", { "x-ms-access-tier": "Archive", "content-length": "9" });
  };
  await backend.archive?.thaw(newName(), { tier: "standard", days: 1 });
  assert.ok(standIn.requests.some((request) => request.startsWith("PUT")));
});

test("a thaw of nothing, and one in no known way", async () => {
  await using standIn = await StandIn.start();
  await using backend = await standIn.open(BY_KEY);
  const { archive } = backend;
  assert.ok(archive);
  for (const [tier, name, code] of [
    ["Standard", newName(), "backend.not-found"],
    ["Bulk", newName(), "option.invalid"],
    ["Standard", "../config", "option.invalid"],
  ] as const) {
    await assert.rejects(archive.thaw(name, { tier, days: 1 }), (error) =>
      isComebackError(error, code),
    );
  }
});

test("states of few packs and of many, without those that are missing", async () => {
  await using standIn = await StandIn.start();
  const blobs = new Map<string, Stored>();
  for (let i = 0; i < 300; i++) {
    const tier = i % 3 === 0 ? "Archive" : "Cool";
    blobs.set(
      newName(),
      i % 6 === 0 ? { tier, archiveStatus: "rehydrate-pending-to-cool" } : { tier },
    );
  }
  serveArchive(standIn, blobs, []);
  await using backend = await standIn.open(BY_KEY);
  for (const count of [0, 7, 250]) {
    const wanted = [...blobs.keys()].slice(0, count);
    standIn.requests.length = 0;
    const states = await statesOf(backend, [...wanted, newName(), ...wanted.slice(0, 2)]);
    assert.deepEqual(new Set(states.keys()), new Set(wanted));
    for (const { name, state, storageClass } of states.values()) {
      const stored = blobs.get(name);
      assert.equal(storageClass, stored?.tier);
      const inArchive = stored?.archiveStatus === undefined ? "archived" : "thawing";
      assert.equal(state, stored?.tier === "Archive" ? inArchive : "readable");
    }
    assert.equal(standIn.requests.length, count > 100 ? 1 : count + 1);
  }
});
