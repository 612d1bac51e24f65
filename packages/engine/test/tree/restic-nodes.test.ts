import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { EntryMetadata, ExtendedAttribute } from "@comeback/core";
import { isGoPrintable } from "../../src/tree/go-printable.ts";
import { decodeTree, encodeNode, nodeFromMetadata } from "../../src/tree/index.ts";
import { recordedZone } from "./recorded-zones.ts";

/**
 * What restic 0.18 made of entries with hostile names, of every type, with odd times: recorded from
 * a real run (test/interop/trees compares with a live one). Bytes are in base64.
 */
type Vector = {
  readonly zone: string;
  readonly name: string;
  readonly metadata: Omit<EntryMetadata, "linkTarget" | "extendedAttributes"> & {
    readonly linkTarget?: string;
    readonly extendedAttributes?: readonly { readonly name: string; readonly value: string }[];
  };
  readonly content: readonly string[] | null;
  readonly subtree?: string;
  readonly json: string;
};

const vectors = JSON.parse(
  readFileSync(new URL("vectors/restic-0.18-nodes.json", import.meta.url), "utf8"),
) as readonly Vector[];

function byteString(base64: string): string {
  return Buffer.from(base64, "base64").toString("latin1");
}

function metadataOf({ metadata }: Vector): EntryMetadata {
  const { linkTarget, extendedAttributes = [], ...rest } = metadata;
  return {
    ...rest,
    ...(linkTarget === undefined ? {} : { linkTarget: byteString(linkTarget) }),
    extendedAttributes: extendedAttributes.map(({ name, value }): ExtendedAttribute => ({
      name: byteString(name),
      value: Buffer.from(value, "base64"),
    })),
  };
}

test("nodes are written byte by byte as restic writes them", () => {
  assert.ok(vectors.length > 200);
  for (const vector of vectors) {
    const zone = recordedZone(vector.zone);
    const options = { withAtime: false, zone };
    const node = nodeFromMetadata(byteString(vector.name), metadataOf(vector), options);
    node.content = vector.content;
    node.subtree = vector.subtree;
    assert.equal(encodeNode(node), vector.json);
  }
});

test("restic's nodes give back the names and targets that they were made of", () => {
  for (const vector of vectors) {
    const [node] = decodeTree(Buffer.from(`{"nodes":[${vector.json}]}`));
    assert.equal(node?.name, byteString(vector.name));
    const { linkTarget } = vector.metadata;
    assert.equal(node.linktarget, linkTarget === undefined ? undefined : byteString(linkTarget));
    assert.deepEqual(node.device ?? 0, vector.metadata.device);
  }
});

test("the characters that print are those that restic 0.18 does not escape", () => {
  const general = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
  const printing = new Uint8Array(0x11_0000);
  for (let rune = 0; rune < printing.length; rune++) {
    if (!isGoPrintable(rune)) continue;
    printing[rune] = 1;
    assert.match(String.fromCodePoint(rune), general, rune.toString(16));
  }
  // ASCII's 95 and those of Unicode 15.0 beyond, found by backing up names of all code points.
  assert.equal(
    printing.reduce((sum, prints) => sum + prints),
    95 + 148_903,
  );
  assert.equal(
    createHash("sha256").update(printing).digest("hex"),
    "a24a109bc8e347f9490466c59e4160d0dc9dd1006a5be9a4c91af71cd2e7fa99",
  );
});
