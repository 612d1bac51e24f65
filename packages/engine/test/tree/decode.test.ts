import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import fc from "fast-check";
import { decodeReferences, decodeTree, encodeTree, type TreeNode } from "../../src/tree/index.ts";

const ID = "4b94cb2cf293855ea43bf766731c74969b91aa6bf3c078719aabdd19860d590d";
const TIME = "2024-07-03T11:46:40.123456789+02:00";
const NODE =
  `{"name":"a","type":"file","mode":420,"mtime":"${TIME}","atime":"${TIME}","ctime":"${TIME}",` +
  `"uid":1000,"gid":1000,"user":"me","group":"us","inode":12,"device_id":65024,"size":3,"links":1,` +
  `"content":["${ID}"]}`;

function tree(...nodes: string[]): Buffer {
  return Buffer.from(`{"nodes":[${nodes.join(",")}]}\n`);
}

function withField(json: string): Buffer {
  return tree(NODE.replace(/}$/, `,${json}}`));
}

function isDamaged(error: unknown): boolean {
  return isComebackError(error, "repository.damaged");
}

test("a node has its fields, and is written again as it was", () => {
  const [node] = decodeTree(tree(NODE));
  assert.deepEqual(node, {
    name: "a",
    type: "file",
    mode: 420,
    mtime: TIME,
    atime: TIME,
    ctime: TIME,
    uid: 1000,
    gid: 1000,
    user: "me",
    group: "us",
    inode: 12,
    device_id: 65024,
    size: 3,
    links: 1,
    content: [ID],
  });
  assert.equal(encodeTree([node]).toString(), tree(NODE).toString());
});

test("an empty tree", () => {
  assert.deepEqual(decodeTree(tree()), []);
  assert.deepEqual(decodeTree(Buffer.from('{"nodes":null}')), []);
  assert.equal(encodeTree([]).toString(), '{"nodes":[]}\n');
});

test("64-bit numbers keep every digit", () => {
  const text = tree(
    NODE.replace('"inode":12', '"inode":18446744073709551615')
      .replace('"device_id":65024', '"device_id":9007199254740993')
      .replace('"size":3', '"size":9007199254740991'),
  );
  const [node] = decodeTree(text);
  assert.equal(node!.inode, 18_446_744_073_709_551_615n);
  assert.equal(node!.device_id, 9_007_199_254_740_993n);
  assert.equal(node!.size, 9_007_199_254_740_991);
  assert.equal(encodeTree([node!]).toString(), text.toString());
});

test("keys and types of other writers survive a rewrite, whatever they hold", () => {
  const foreign =
    '"label":"<x>","big":12345678901234567890,"small":1.0e-400,"deep":{"b":[1,{"a":null}],"a":true},' +
    '"__proto__":{"polluted":true}';
  const text = withField(foreign);
  const [node] = decodeTree(text);
  assert.equal(encodeTree([node!]).toString(), text.toString().replace("<x>", "\\u003cx\\u003e"));
  assert.equal((node as { polluted?: unknown }).polluted, undefined);

  const other = tree(NODE.replace('"file"', '"irregular"'));
  assert.equal(decodeTree(other)[0]!.type, "unknown");
  assert.equal(encodeTree(decodeTree(other)).toString(), other.toString());
});

test("attributes of Windows are handed on, their keys in order", () => {
  const generic =
    '"generic_attributes":{"windows.creation_time":{"LowDateTime":4294967295,"HighDateTime":31},' +
    '"windows.file_attributes":32,"windows.security_descriptor":"AQAE+/8="},"content":';
  const text = tree(NODE.replace('"content":', generic));
  assert.equal(encodeTree(decodeTree(text)).toString(), text.toString());
});

test("what a field does not say is zero", () => {
  const [node] = decodeTree(tree('{"name":"x","type":"dir"}'));
  assert.equal(node!.mtime, "0001-01-01T00:00:00Z");
  assert.equal(node!.content, null);
  assert.equal(node!.uid, 0);
});

test("the bytes of a link's target win over its text", () => {
  const text = withField('"linktarget":"b\\ufffd","linktarget_raw":"Yv8="');
  assert.equal(decodeTree(text)[0]!.linktarget, "b\xff");
  assert.equal(decodeTree(withField('"linktarget":"\u00e4"'))[0]!.linktarget, "\xc3\xa4");
});

test("hostile names never get through", () => {
  for (const name of [
    "",
    ".",
    "..",
    "a/b",
    "/",
    "..\\\\x2f",
    "a\\\\x00",
    "\\\\u002e.",
    "\\u0000",
  ]) {
    assert.throws(() => decodeTree(tree(NODE.replace('"a"', `"${name}"`))), isDamaged, name);
  }
  for (const name of ["\\\\", '\\"', "\\\\q"]) {
    assert.throws(() => decodeTree(tree(NODE.replace('"a"', `"${name}"`))), isDamaged, name);
  }
});

test("fields of the wrong kind are damage", () => {
  const changes: readonly (readonly [from: string, to: string])[] = [
    ['"a"', "1"],
    ['"file"', "7"],
    [TIME, "yesterday"],
    ["1000", "-1"],
    ["1000", "4294967296"],
    ["1000", "1.5"],
    ['"me"', "[]"],
    ['"inode":12', '"inode":18446744073709551616'],
    ['"inode":12', '"inode":-12'],
    ['"inode":12', '"inode":1e400'],
    ['"inode":12', '"inode":"12"'],
    [`"${ID}"`, '"../../etc/passwd"'],
    [`"${ID}"`, "7"],
    [`["${ID}"]`, `"${ID}"`],
  ];
  for (const [from, to] of changes) {
    assert.throws(() => decodeTree(tree(NODE.replace(from, to))), isDamaged, to);
  }
  const fields = ['"subtree":"x"', '"extended_attributes":7', '"extended_attributes":[7]'];
  const more = ['"extended_attributes":[{"name":"n","value":"?"}]', '"generic_attributes":[]'];
  for (const field of [...fields, ...more, '"linktarget_raw":"!"', '"device":true', '"error":{}']) {
    assert.throws(() => decodeTree(withField(field)), isDamaged, field);
  }
});

test("what nodes refer to is read alone as it is with all the rest", () => {
  const nodes = decodeTree(tree(NODE, NODE.replace(`["${ID}"]`, `null,"subtree":"${ID}"`)));
  const references = decodeReferences(encodeTree(nodes));
  assert.deepEqual(
    references.map(({ content, subtree }) => [content ?? null, subtree]),
    nodes.map(({ content, subtree }) => [content ?? null, subtree]),
  );
  for (const bad of [`["${ID.slice(1)}"]`, `["${ID.toUpperCase()}"]`, "{}", "[1]", '"x"']) {
    const text = tree(NODE.replace(`["${ID}"]`, bad));
    assert.throws(() => decodeReferences(text), isDamaged, bad);
    assert.throws(() => decodeReferences(tree(`{"subtree":${bad}}`)), isDamaged, bad);
  }
  for (const text of ["", "[]", "{}", "{", '{"nodes":[1]}', '{"nodes":[null]}']) {
    assert.throws(() => decodeReferences(Buffer.from(text)), isDamaged, text);
  }
});

test("trees that are no trees are damage", () => {
  for (const text of [
    "",
    "null",
    "[]",
    "7",
    "{}",
    '{"nodes":7}',
    '{"nodes":[null]}',
    '{"nodes":[[]]}',
  ]) {
    assert.throws(() => decodeTree(Buffer.from(text)), isDamaged, text);
  }
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  assert.throws(() => decodeTree(Buffer.from(deep)), isDamaged);
  assert.throws(() => decodeTree(withField(`"x":${deep}`)), isDamaged);
  assert.throws(() => decodeTree(withField(`"size":99999999999999999999,"x":${deep}`)), isDamaged);
});

const ids = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((b) => Buffer.from(b).toString("hex"));
const u64 = fc
  .bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn })
  .map((value) => (value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value));
const bytes = (minLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength, maxLength: 30 }).map((b) => Buffer.from(b).toString("latin1"));
const utf8Bytes = fc
  .string({ unit: "binary", maxLength: 20 })
  .map((text) => Buffer.from(text, "utf8").toString("latin1"));
const text = fc.string({ unit: "binary", maxLength: 20 });

const nodes: fc.Arbitrary<TreeNode> = fc.record(
  {
    name: bytes(1).filter((name) => !/^\.{1,2}$|\/|\0/.test(name)),
    type: fc.constantFrom("file", "dir", "symlink", "dev", "chardev", "fifo", "socket"),
    mode: fc.nat(),
    mtime: fc.constant(TIME),
    atime: fc.constant("1969-12-31T23:59:59.5Z"),
    ctime: fc.constant("0001-01-01T00:00:00Z"),
    uid: fc.nat(),
    gid: fc.nat(),
    user: text,
    group: text,
    inode: u64,
    device_id: u64,
    size: u64,
    links: fc.nat(),
    content: fc.option(fc.array(ids, { maxLength: 3 })),
    linktarget: bytes(1),
    extended_attributes: fc.array(
      fc.record(
        { name: utf8Bytes, value: fc.uint8Array({ maxLength: 20 }) },
        { noNullPrototype: true },
      ),
      { minLength: 1, maxLength: 3 },
    ),
    device: u64.filter((value) => value !== 0),
    subtree: ids,
    error: text.filter((value) => value !== ""),
  },
  {
    noNullPrototype: true,
    requiredKeys: [
      ...(["name", "type", "mode", "mtime", "atime", "ctime", "uid", "gid", "user"] as const),
      ...(["group", "inode", "device_id", "size", "links", "content"] as const),
    ],
  },
);

test("nodes survive writing and reading", () => {
  fc.assert(
    fc.property(fc.array(nodes, { maxLength: 4 }), (list) => {
      assert.deepEqual(decodeTree(encodeTree(list)), list);
    }),
  );
});

test("a large tree is written in parts that fit together", () => {
  const [node] = decodeTree(tree(NODE));
  const list = Array.from({ length: 1000 }, (_, i) => ({ ...node!, name: `\xc3\xa4${i}` }));
  assert.deepEqual(decodeTree(encodeTree(list)).length, 1000);
  assert.equal(
    encodeTree(list)
      .toString()
      .match(/"name":"ä\d+"/g)?.length,
    1000,
  );
});

test("mutated trees are read or refused, nothing else", () => {
  let refused = 0;
  const change = fc.tuple(fc.nat(100_000), fc.nat(255), fc.constantFrom("set", "cut", "double"));
  fc.assert(
    fc.property(
      fc.array(nodes, { minLength: 1, maxLength: 2 }),
      fc.array(change),
      (list, changes) => {
        let damaged: Buffer = encodeTree(list);
        for (const [place, value, kind] of changes) {
          const at = place % damaged.length;
          if (kind === "set") damaged[at] = value;
          if (kind === "cut") damaged = damaged.subarray(0, Math.max(1, at));
          if (kind === "double")
            damaged = Buffer.concat([damaged.subarray(0, at), damaged.subarray(at >> 1)]);
        }
        try {
          for (const { name } of decodeTree(damaged))
            assert.doesNotMatch(name, /^$|^\.{1,2}$|[/\0]/);
        } catch (error) {
          assert.ok(isDamaged(error), String(error));
          refused += 1;
        }
      },
    ),
    { numRuns: 2000 },
  );
  assert.ok(refused > 0);
});
