import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import { mountAt, mountOf, parseMounts } from "../src/mount-table.ts";
import { readRequiredPlace } from "../src/required-place.ts";

const TABLE = [
  "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw",
  "40 22 0:35 / /mnt/nas rw shared:2 - autofs systemd-1 rw,fd=51",
  "41 40 0:52 / /mnt/nas rw,relatime shared:3 - nfs4 nas.lan:/volume1/backup rw,vers=4.2",
  "42 22 8:17 / /mnt/my\\040disk\\134x rw,relatime - ext4 /dev/sdb1 rw",
  "43 22 0:60 /sub /mnt/share rw - cifs //nas/my\\040share rw",
  "",
].join("\n");

function read(values: Readonly<Record<string, string>>): ReturnType<typeof readRequiredPlace> {
  return readRequiredPlace(new Map(Object.entries(values)));
}

test("the table of mounts: the last one at a place, names with blanks, the one a path is on", () => {
  const mounts = parseMounts(TABLE);
  assert.equal(mounts.length, 5);
  assert.deepEqual(mountAt(mounts, "/mnt/nas"), {
    point: "/mnt/nas",
    type: "nfs4",
    source: "nas.lan:/volume1/backup",
  });
  assert.equal(mountAt(mounts, "/mnt/nas/below"), undefined);
  assert.equal(mountOf(mounts, "/mnt/nas/below/it")?.source, "nas.lan:/volume1/backup");
  assert.equal(mountOf(mounts, "/mnt/nasty")?.source, "/dev/vda1");
  assert.equal(mountOf(mounts, "/mnt/my disk\\x/a")?.source, "/dev/sdb1");
  assert.equal(mountOf(mounts, "/mnt/share")?.source, "//nas/my share");
});

test("settings are understood", () => {
  assert.equal(read({}), undefined);
  assert.deepEqual(
    read({
      "mount-point": "/mnt/nas/",
      marker: ".comeback-here",
      device: "UUID=abc",
      "mount-command": `mount -o "user=a b" '/mnt/nas'`,
      "mount-wait": "2m",
    }),
    {
      mountPoint: "/mnt/nas",
      marker: "/mnt/nas/.comeback-here",
      device: "UUID=abc",
      command: ["mount", "-o", "user=a b", "/mnt/nas"],
      waitMs: 120_000,
    },
  );
  assert.equal(read({ marker: "/x/here" })?.waitMs, 0);
  assert.equal(read({ marker: "/x/here", "mount-command": "true" })?.waitMs, 30_000);
});

test("settings that make no sense are refused", () => {
  for (const values of [
    { "mount-point": "mnt/nas" },
    { marker: "here" },
    { "mount-command": "mount /mnt/nas" },
    { "mount-wait": "30s" },
    { marker: "/x", "mount-wait": "soon" },
    { marker: "/x", "mount-wait": "61m" },
    { marker: "/x", "mount-command": "mount 'x" },
    { marker: "/x", "mount-command": " " },
  ] as Record<string, string>[]) {
    assert.throws(
      () => read(values),
      (error) => isComebackError(error, "option.invalid") && error.next !== undefined,
      JSON.stringify(values),
    );
  }
});
