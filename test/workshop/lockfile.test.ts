import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { missingPackages, platformOf, readLockfile } from "../../scripts/lockfile.ts";

const lockfile = readLockfile(join(import.meta.dirname, "../.."));

test("the lockfile is complete for every platform, so that npm ci takes it anywhere", () => {
  assert.deepEqual(missingPackages(lockfile), []);
});

test("the lockfile names packages by version and hash, and no host to fetch them from", () => {
  const hosts = Object.values(lockfile.packages)
    .map(({ resolved }) => resolved)
    .filter((resolved) => resolved?.includes("://"));
  assert.deepEqual(hosts, []);
});

test("the platform that a package's name stands for", () => {
  assert.deepEqual(platformOf("@oxfmt/binding-linux-x64-musl"), {
    os: ["linux"],
    cpu: ["x64"],
    libc: ["musl"],
  });
  assert.deepEqual(platformOf("@oxlint/binding-linux-arm-gnueabihf"), {
    os: ["linux"],
    cpu: ["arm"],
    libc: ["glibc"],
  });
  assert.deepEqual(platformOf("@oxfmt/binding-win32-arm64-msvc"), {
    os: ["win32"],
    cpu: ["arm64"],
  });
  assert.deepEqual(platformOf("@oxlint-tsgolint/darwin-x64"), { os: ["darwin"], cpu: ["x64"] });
});
