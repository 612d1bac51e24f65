import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError, type Source, type SourceEntry } from "@comeback/core";
import { describeTree, readSource, walkSource } from "@comeback/testkit";
import {
  bytesContent,
  joinedSource,
  NO_TIME,
  type StreamFile,
  streamsSource,
} from "../src/index.ts";

const time = { seconds: 1_790_000_000, nanoseconds: 7 };

function file(path: string, text = path): StreamFile {
  return { path, content: () => bytesContent(Buffer.from(text)) };
}

function isInvalid(error: unknown): boolean {
  return isComebackError(error, "configuration.invalid");
}

test("files lie in their folders, in the order of their raw names", async () => {
  const files = ["/b/z", "a", "/b/Z", "/b/inner/x", "b-", "//c/./d"].map((path) => file(path));
  const source = streamsSource({ files, time });
  const { contents, entries } = await readSource(source);
  assert.deepEqual(
    [...entries.keys()],
    ["/a", "/b", "/b/Z", "/b/inner", "/b/inner/x", "/b/z", "/b-", "/c", "/c/d"],
  );
  assert.equal(contents.get("/b/inner/x")?.toString(), "/b/inner/x");
  assert.deepEqual(source.paths, ["/b/z", "/a", "/b/Z", "/b/inner/x", "/b-", "/c/d"]);
});

test("what has no time of its own has one that never changes", async () => {
  const files = [file("/report/a"), { ...file("/report/b"), time, sizeBytes: 9 }];
  const source = streamsSource({ files, time: NO_TIME, paths: ["/report"] });
  const { entries } = await walkSource(source);
  const described = [...entries].map(([path, { metadata }]) => [
    path,
    metadata.mtime,
    metadata.sizeBytes,
  ]);
  assert.deepEqual(described, [
    ["/report", NO_TIME, 0],
    ["/report/a", NO_TIME, 0],
    ["/report/b", time, 9],
  ]);
  assert.deepEqual(source.paths, ["/report"]);
});

test("two files that want one place are refused", () => {
  for (const paths of [["/a", "a"], ["/a", "/a/b"], ["/a/b", "/a"], ["/"], ["a/.."]]) {
    assert.throws(() => streamsSource({ files: paths.map((path) => file(path)), time }), isInvalid);
  }
});

test("joined sources lie beside each other, and a name that both have is refused", async () => {
  const one = streamsSource({ files: [file("/m/a"), file("/x")], time });
  const two = streamsSource({ files: [file("/n/b"), file("/a")], time });
  const joined = joinedSource([one, two]);
  const lines = describeTree(await readSource(joined), (_, bytes) => bytes.toString());
  assert.deepEqual(lines, [
    "file 644 /a /a",
    "dir 755 /m",
    "file 644 /m/a /m/a",
    "dir 755 /n",
    "file 644 /n/b /n/b",
    "file 644 /x /x",
  ]);
  assert.deepEqual(joined.paths, ["/m/a", "/x", "/n/b", "/a"]);
  await assert.rejects(walkSource(joinedSource([one, one])), isInvalid);
});

test("where one of the joined cannot be opened, the others are closed", async () => {
  const closed: string[] = [];
  const source = (name: string): Source => ({
    paths: [],
    excludes: [],
    async open() {
      if (name === "bad") throw new Error("not to be opened");
      return {
        root: () => [] as SourceEntry[],
        list: () => [],
        async [Symbol.asyncDispose]() {
          closed.push(name);
        },
      };
    },
  });
  const joined = joinedSource([source("one"), source("two"), source("bad")]);
  await assert.rejects(walkSource(joined), /not to be opened/);
  assert.deepEqual(closed, ["two", "one"]);
});
