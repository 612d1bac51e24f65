import assert from "node:assert/strict";
import { test } from "node:test";
import { layOutTargets, type TargetNode } from "../src/target-tree.ts";

/** Folders that exist, with what is in them. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  ".": ["b", "a"],
  "..": ["x", "here"],
  "/": ["srv", "etc"],
  "/srv": ["www", "db"],
  "/srv/www": ["index"],
  "/srv/www/index": ["flat", "deep"],
  a: ["one", "two"],
};

function listNames(path: string): string[] {
  const names = FOLDERS[path];
  if (names === undefined) throw new Error(`listed ${path}`);
  return [...names];
}

/** Each place with what goes there: `=target`, or `<metadata` of a folder above. */
function lines(node: TargetNode, above = ""): string[] {
  return [...node.nodes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, inner]) => {
      const path = `${above}/${name}`;
      if (inner.target !== undefined) {
        assert.equal(inner.nodes.size, 0, "a leaf holds nothing");
        return [`${path} =${inner.target}`];
      }
      return [`${path} <${inner.metadataFrom}`, ...lines(inner, path)];
    });
}

const TABLE: readonly (readonly [readonly string[], readonly string[]])[] = [
  [["/srv"], ["/srv =/srv"]],
  [["/srv/www/"], ["/srv </srv", "/srv/www =/srv/www"]],
  [["a"], ["/a =a"]],
  [["./a", "a/", "a//"], ["/a =a"]],
  [["q/r/s"], ["/q <q", "/q/r <q/r", "/q/r/s =q/r/s"]],
  [["../x"], ["/x =../x"]],
  [["../../p/q"], ["/p <../../p", "/p/q =../../p/q"]],
  [["q/../r"], ["/r =r"]],
  [["."], ["/a =a", "/b =b"]],
  [["./"], ["/a =a", "/b =b"]],
  [[".."], ["/here =../here", "/x =../x"]],
  [["/"], ["/etc =/etc", "/srv =/srv"]],
  [
    ["/", "/srv"],
    ["/etc =/etc", "/srv =/srv"],
  ],
  // The outer target dissolves into its entries, on every level in between.
  [
    ["/srv", "/srv/db"],
    ["/srv </srv", "/srv/db =/srv/db", "/srv/www =/srv/www"],
  ],
  [
    ["/srv/www/index/deep", "/srv"],
    [
      "/srv </srv",
      "/srv/db =/srv/db",
      "/srv/www </srv/www",
      "/srv/www/index </srv/www/index",
      "/srv/www/index/deep =/srv/www/index/deep",
      "/srv/www/index/flat =/srv/www/index/flat",
    ],
  ],
  [
    [".", "a/two"],
    ["/a <a", "/a/one =a/one", "/a/two =a/two", "/b =b"],
  ],
  // The same name from different folders.
  [
    ["a", "../a", "/a"],
    ["/a =a", "/a-1 =../a", "/a-2 =/a"],
  ],
  [
    ["../q/r", "q/s", "../q/t"],
    ["/q <../q", "/q/r =../q/r", "/q/t =../q/t", "/q-1 <q", "/q-1/s =q/s"],
  ],
  [
    ["a-1", "a", "../a"],
    ["/a =a", "/a-1 =a-1", "/a-2 =../a"],
  ],
];

test("targets lie where restic puts them", () => {
  for (const [targets, expected] of TABLE) {
    assert.deepEqual(lines(layOutTargets(targets, listNames)), expected, targets.join(" "));
  }
});

test("a target below one that cannot be listed is an error, not a gap", () => {
  assert.throws(() => layOutTargets(["/srv/db", "/srv/db/x"], listNames), /listed/);
});

test("names are bytes", () => {
  assert.deepEqual(lines(layOutTargets(["/\xff/\xc3\xa4"], listNames)), [
    "/\xff </\xff",
    "/\xff/\xc3\xa4 =/\xff/\xc3\xa4",
  ]);
});
