import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { cat, type CatRequest } from "../../src/cat/cat.ts";
import { indentJson } from "../../src/cat/indent-json.ts";
import {
  dataBlob,
  fileNode,
  flipBit,
  folderNode,
  RepositoryBuilder,
  treeBlob,
} from "../repository-builder.ts";

describe("indented JSON", () => {
  it("is laid out as Go does", () => {
    assert.equal(
      indentJson(' {"a":[],"b":{},"c":[1,{"d":"x:,{}[]"}],"e" : null,"f":-1.5e3} '),
      `{
  "a": [],
  "b": {},
  "c": [
    1,
    {
      "d": "x:,{}[]"
    }
  ],
  "e": null,
  "f": -1.5e3
}`,
    );
    assert.equal(indentJson('"<&>\u2028"'), '"\\u003c\\u0026\\u003e\\u2028"');
    assert.equal(indentJson("[[[]]]"), "[\n  [\n    []\n  ]\n]");
  });

  it("says the same as before, and equals JSON.stringify's layout", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = indentJson(JSON.stringify(value));
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
        const plain = JSON.stringify(value, null, 2);
        if (!/[<>&\u2028\u2029]/.test(plain)) assert.equal(text, plain);
      }),
    );
  });

  it("loses no digit of a large number", () => {
    assert.match(indentJson('{"inode":18446744073709551615}'), /18446744073709551615/);
  });
});

describe("cat", () => {
  it("shows every kind of object", async () => {
    await using builder = await RepositoryBuilder.create();
    const { repository } = builder;
    const data = dataBlob("data of a blob");
    const inner = treeBlob([fileNode("f", data)]);
    const root = treeBlob([folderNode("d", inner)]);
    const pack = await builder.pack(data);
    const index = await builder.index(pack, await builder.pack(inner, root));
    const snapshot = await builder.snapshot(root, { hostname: "a&b" });
    const lock = await repository.saveUnpacked("lock", Buffer.from('{"time":"x","pid":7}'));
    await repository.loadIndex();
    const text = async (request: CatRequest): Promise<string> =>
      Buffer.from((await cat(repository, request)).bytes).toString();

    assert.deepEqual(JSON.parse(await text({ kind: "config" })), {
      id: repository.config.id,
      version: 2,
      chunker_polynomial: repository.config.chunkerPolynomial.toString(16),
    });
    assert.match(await text({ kind: "masterkey" }), /^\{\n {2}"mac": \{\n {4}"k": "/);
    assert.match(
      await text({ kind: "key", id: repository.keyId }),
      /"kdf": "scrypt",\n {2}"N": 16,/,
    );
    assert.equal(await text({ kind: "lock", id: lock }), '{\n  "time": "x",\n  "pid": 7\n}\n');
    assert.match(await text({ kind: "index", id: index }), /^\{"packs":.*\]\}\n\n$/s);
    for (const name of [snapshot.id, snapshot.id.slice(0, 9), "latest"]) {
      const shown = await text({ kind: "snapshot", name });
      assert.match(shown, /"hostname": "a\\u0026b"/);
      assert.deepEqual({ ...JSON.parse(shown), id: snapshot.id }, snapshot);
    }
    assert.equal(await text({ kind: "blob", id: data.id }), "data of a blob");
    assert.equal(await text({ kind: "blob", id: root.id }), root.plaintext.toString());
    assert.equal(await text({ kind: "tree", name: "latest" }), root.plaintext.toString());
    const sub = { kind: "tree", name: snapshot.id, path: "/d" } as const;
    assert.equal(await text(sub), inner.plaintext.toString());
    const whole = await cat(repository, { kind: "pack", id: pack.id });
    assert.deepEqual(whole.bytes, await builder.backend.load({ type: "pack", name: pack.id }));
    assert.equal(whole.warning, undefined);
    builder.damage("pack", pack.id, flipBit(3));
    assert.match(
      (await cat(repository, { kind: "pack", id: pack.id })).warning ?? "",
      /not its name/,
    );
  });

  it("refuses what is not there or no id at all", async () => {
    await using builder = await RepositoryBuilder.create();
    const { repository } = builder;
    await repository.loadIndex();
    const id = "0".repeat(64);
    const rejects = (request: CatRequest, code: string): Promise<void> =>
      assert.rejects(cat(repository, request), { code });
    for (const kind of ["key", "index", "lock", "pack"] as const) {
      await rejects({ kind, id }, "backend.not-found");
      await rejects({ kind, id: "../config" }, "option.invalid");
    }
    await rejects({ kind: "blob", id }, "option.invalid");
    await rejects({ kind: "snapshot", name: "latest" }, "snapshot.not-found");
    await builder.index(await builder.pack(treeBlob([])));
    await builder.snapshot(treeBlob([]));
    await repository.loadIndex();
    await rejects({ kind: "tree", name: "latest", path: "/x" }, "snapshot.path-not-found");
  });
});
