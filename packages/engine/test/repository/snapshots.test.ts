import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileNotFound, isComebackError } from "@comeback/core";
import fc from "fast-check";
import {
  findLatest,
  findSnapshot,
  listSnapshots,
  loadSnapshot,
  saveSnapshot,
} from "../../src/repository/snapshots.ts";
import { decodeSnapshot, encodeSnapshot, type SnapshotFile } from "../../src/snapshot/snapshot.ts";
import { RepositoryBuilder, treeBlob } from "../repository-builder.ts";

const TREE = treeBlob([]);
const at = (day: number, offset = "Z"): string => `2026-03-0${day}T10:00:00.123456789${offset}`;

async function withSnapshots(): Promise<RepositoryBuilder> {
  const builder = await RepositoryBuilder.create();
  const list: Partial<SnapshotFile>[] = [
    { time: at(3), hostname: "a", paths: ["/x"], tags: ["db", "daily"] },
    { time: at(1), hostname: "a", paths: ["/x", "/y"], tags: ["daily"] },
    { time: at(2), hostname: "b", paths: ["/x"] },
    // Later than the first by its clock's text, earlier by its zone.
    { time: at(3, "+05:00"), hostname: "b", paths: ["/z"] },
  ];
  for (const fields of list) await builder.snapshot(TREE, fields);
  return builder;
}

describe("snapshots", () => {
  it("are listed by time, whatever the zone they were written in", async () => {
    await using builder = await withSnapshots();
    const times = (await listSnapshots(builder.repository)).map(({ time }) => time);
    assert.deepEqual(times, [at(1), at(2), at(3, "+05:00"), at(3)]);
  });

  it("are listed without those that are removed meanwhile, and not at all where one is lost", async () => {
    await using builder = await withSnapshots();
    const { backend } = builder.repository;
    const [first, ...others] = await listSnapshots(builder.repository);
    assert.ok(first !== undefined);
    const file = { type: "snapshot", name: first.id } as const;
    const list = backend.list.bind(backend);
    const gone = fileNotFound(file, "here");
    const load = backend.load.bind(backend);
    // Another process removes it between the list and the reading.
    backend.load = async (wanted, options) => {
      if (wanted.name === first.id) await backend.remove(file);
      return load(wanted, options);
    };
    assert.deepEqual(await listSnapshots(builder.repository), others);
    // A store that goes on listing what it does not give.
    backend.list = async function* (type, options) {
      yield* list(type, options);
      if (type === "snapshot") yield { name: first.id, sizeBytes: 100 };
    };
    backend.load = (wanted, options) =>
      wanted.name === first.id ? Promise.reject(gone) : load(wanted, options);
    await assert.rejects(listSnapshots(builder.repository), gone);
  });

  it("are chosen by host, tags and paths as restic does", async () => {
    await using builder = await withSnapshots();
    const days = async (filter: Parameters<typeof listSnapshots>[1]): Promise<string[]> => {
      const found = await listSnapshots(builder.repository, filter);
      return found.map(({ time, hostname }) => `${time.slice(9, 10)}${hostname}`);
    };
    assert.deepEqual(await days({ hosts: ["a"] }), ["1a", "3a"]);
    assert.deepEqual(await days({ hosts: ["a", "b"] }), ["1a", "2b", "3b", "3a"]);
    assert.deepEqual(await days({ tags: [["daily"]] }), ["1a", "3a"]);
    assert.deepEqual(await days({ tags: [["daily", "db"]] }), ["3a"]);
    assert.deepEqual(await days({ tags: [["db"], [""]] }), ["2b", "3b", "3a"]);
    assert.deepEqual(await days({ paths: ["/x"] }), ["1a", "2b", "3a"]);
    assert.deepEqual(await days({ paths: ["/x", "/y"] }), ["1a"]);
    assert.deepEqual(await days({ hosts: ["c"] }), []);
  });

  it("are found as latest, also as of a moment", async () => {
    await using builder = await withSnapshots();
    const { repository } = builder;
    assert.equal((await findSnapshot(repository, "latest")).time, at(3));
    assert.equal(
      (await findSnapshot(repository, "latest", { hosts: ["b"] })).time,
      at(3, "+05:00"),
    );
    const notAfterMs = Date.parse(at(2));
    assert.equal((await findLatest(repository, {}, { notAfterMs }))?.time, at(2));
    assert.equal(await findLatest(repository, {}, { notAfterMs: 0 }), undefined);
    const none = findSnapshot(repository, "latest", { hosts: ["nobody"] });
    await assert.rejects(none, { code: "snapshot.not-found" });
  });

  it("are found by the start of their id, unless it fits several or none", async () => {
    await using builder = await withSnapshots();
    const { repository } = builder;
    const [first] = await listSnapshots(repository);
    assert.equal((await findSnapshot(repository, first!.id)).id, first!.id);
    assert.equal((await findSnapshot(repository, first!.id.slice(0, 20))).id, first!.id);
    const known = first!.id;
    const twin = `${known.slice(0, 10)}${known.slice(10).replace(/./, (d) => (d === "0" ? "1" : "0"))}`;
    builder.backend.overwrite({ type: "snapshot", name: twin }, new Uint8Array(3));
    await assert.rejects(findSnapshot(repository, known.slice(0, 10)), (error) => {
      return (
        isComebackError(error, "snapshot.ambiguous") && error.why!.includes(known.slice(0, 12))
      );
    });
    for (const name of ["", "xyz", "../config", "ffffffffffffffffffffffff", known.toUpperCase()]) {
      await assert.rejects(
        findSnapshot(repository, name),
        (error) =>
          isComebackError(error, "snapshot.not-found") ||
          (name === "" && isComebackError(error, "snapshot.ambiguous")),
        name,
      );
    }
  });

  it("keep keys that we do not know, in their order, and never their own id", async () => {
    await using builder = await RepositoryBuilder.create();
    const { repository } = builder;
    const json =
      `{"time":"${at(1)}","tree":"${TREE.id}","paths":["/a"],"hostname":"h","label":"rustic",` +
      `"delete":{"After":"2027-01-01T00:00:00Z"},"summary":{"files_new":1,"command":"x"}}`;
    const id = await repository.saveUnpacked("snapshot", Buffer.from(json));
    const loaded = await loadSnapshot(repository, id);
    assert.equal(encodeSnapshot(loaded).toString(), json);
    const { id: again } = await saveSnapshot(repository, { ...loaded, tags: ["new"] });
    const stored = Buffer.from(await repository.loadUnpacked("snapshot", again)).toString();
    assert.deepEqual(JSON.parse(stored), { ...JSON.parse(json), tags: ["new"] });
  });

  it("leave out what is empty, as restic does", () => {
    const file: SnapshotFile = {
      time: at(1),
      tree: TREE.id,
      paths: [],
      hostname: "",
      uid: 0,
      gid: 5,
      tags: [],
      excludes: [],
    };
    const json = `{"time":"${at(1)}","tree":"${TREE.id}","paths":[],"gid":5}`;
    assert.equal(encodeSnapshot(file).toString(), json);
  });

  it("are refused where a field cannot be used", () => {
    const good = { time: at(1), tree: TREE.id, paths: ["/a"] };
    const decode = (value: unknown): unknown =>
      decodeSnapshot(Buffer.from(JSON.stringify(value)), "12345678ff");
    assert.deepEqual(decode(good), { ...good, id: "12345678ff" });
    for (const value of [
      null,
      7,
      [],
      {},
      { ...good, tree: undefined },
      { ...good, tree: null },
      { ...good, tree: "../../etc" },
      { ...good, time: "yesterday" },
      { ...good, time: 5 },
      { ...good, paths: "/a" },
      { ...good, paths: [1] },
      { ...good, tags: [null] },
    ]) {
      assert.throws(
        () => decode(value),
        (error) =>
          isComebackError(error, "repository.damaged") && error.message.includes("12345678"),
        JSON.stringify(value),
      );
    }
  });

  it("fail plainly after any change of their text", () => {
    const json = Buffer.from(
      JSON.stringify({ time: at(1), tree: TREE.id, paths: ["/a"], tags: ["x"] }),
    );
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(changes, (list) => {
        const bytes = Buffer.from(json);
        for (const [place, byte] of list) bytes[place % bytes.length] = byte;
        try {
          decodeSnapshot(bytes, "ab");
        } catch (error) {
          assert.ok(isComebackError(error, "repository.damaged"), String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
