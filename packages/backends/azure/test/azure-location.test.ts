import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import { blobNameOf, fileNameOf, typePrefix } from "../src/azure-layout.ts";
import { parseAzureLocation } from "../src/azure-location.ts";

const NAME = "ab12".repeat(16);

test("locations are read as restic reads them", () => {
  for (const [location, container, prefix] of [
    ["azure:backups:/", "backups", ""],
    ["azure:backups:", "backups", ""],
    ["azure:backups:/laptop", "backups", "laptop"],
    ["azure:backups:laptop/", "backups", "laptop"],
    ["azure:a-b-3://deep//er/./x/../y/", "a-b-3", "deep/er/y"],
    ["azure:backups:/../up", "backups", "up"],
    ["azure:backups:/with: colon", "backups", "with: colon"],
  ] as const) {
    const url = `azure:${container}:/${prefix}`;
    assert.deepEqual(parseAzureLocation(location), { container, prefix, url }, location);
    assert.deepEqual(parseAzureLocation(url), { container, prefix, url }, url);
  }
});

test("what is no location is refused, with the right way to write it", () => {
  for (const bad of [
    "azure:",
    "azure:backups",
    "azure:ab:/",
    "azure:Backups:/",
    "azure:back--ups:/",
    "azure:-backups:/",
    "azure:backups-:/",
    `azure:${"a".repeat(64)}:/`,
    "azure:$root:/",
    "azure:backups:../up",
    "azure:backups:/a\0b",
  ]) {
    assert.throws(
      () => parseAzureLocation(bad),
      (error) =>
        isComebackError(error, "option.invalid") && error.next?.includes("azure:") === true,
      bad,
    );
  }
});

test("blobs are where restic looks for them", () => {
  for (const [prefix, start] of [
    ["", ""],
    ["some/path", "some/path/"],
  ] as const) {
    assert.equal(blobNameOf(prefix, { type: "config", name: "" }), `${start}config`);
    assert.equal(blobNameOf(prefix, { type: "pack", name: NAME }), `${start}data/ab/${NAME}`);
    assert.equal(blobNameOf(prefix, { type: "key", name: NAME }), `${start}keys/${NAME}`);
    assert.equal(blobNameOf(prefix, { type: "lock", name: NAME }), `${start}locks/${NAME}`);
    assert.equal(blobNameOf(prefix, { type: "snapshot", name: NAME }), `${start}snapshots/${NAME}`);
    assert.equal(blobNameOf(prefix, { type: "index", name: NAME }), `${start}index/${NAME}`);
    assert.equal(typePrefix(prefix, "pack"), `${start}data/`);
  }
});

test("a blob's name is taken for a file only where that file would be looked for", () => {
  assert.equal(fileNameOf("p", "pack", `p/data/ab/${NAME}`), NAME);
  assert.equal(fileNameOf("p", "key", `p/keys/${NAME}`), NAME);
  assert.equal(fileNameOf("p", "config", "p/config"), "");
  for (const [type, blob] of [
    ["pack", `p/data/${NAME}`],
    ["pack", `p/data/cd/${NAME}`],
    ["pack", `p/data/ab/${NAME}/x`],
    ["pack", `data/ab/${NAME}`],
    ["key", `p/keys/ab/${NAME}`],
    ["key", `p/keys/${NAME.toUpperCase()}`],
    ["key", "p/keys/"],
    ["config", "p/config2"],
    ["config", "p/config/x"],
  ] as const) {
    assert.equal(fileNameOf("p", type, blob), undefined, blob);
  }
});
