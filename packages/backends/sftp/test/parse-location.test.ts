import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isComebackError } from "@comeback/core";
import { parseSftpLocation } from "../src/parse-location.ts";
import { argumentsOf, sshCommandFor } from "../src/ssh-command.ts";

/** restic's own cases (internal/backend/sftp/config_test.go), and a few more. */
const CASES: readonly [string, string | undefined, string, string | undefined, string][] = [
  ["sftp://user@host/dir/subdir", "user", "host", undefined, "dir/subdir"],
  ["sftp://host/dir/subdir", undefined, "host", undefined, "dir/subdir"],
  ["sftp://host//dir/subdir", undefined, "host", undefined, "/dir/subdir"],
  ["sftp://host:10022//dir/subdir", undefined, "host", "10022", "/dir/subdir"],
  ["sftp://user@host:10022//dir/subdir", "user", "host", "10022", "/dir/subdir"],
  ["sftp://user@host/dir/subdir/../other", "user", "host", undefined, "dir/other"],
  ["sftp://user@host/dir///subdir", "user", "host", undefined, "dir/subdir"],
  ["sftp://user@[::1]/dir", "user", "::1", undefined, "dir"],
  ["sftp://user@[::1]:22/dir", "user", "::1", "22", "dir"],
  ["sftp://host/with%20space", undefined, "host", undefined, "with space"],
  ["sftp:user@host:/dir/subdir", "user", "host", undefined, "/dir/subdir"],
  ["sftp:user@domain@host:/dir/subdir", "user@domain", "host", undefined, "/dir/subdir"],
  ["sftp:host:../dir/subdir", undefined, "host", undefined, "../dir/subdir"],
  ["sftp:user@host:dir/subdir:suffix", "user", "host", undefined, "dir/subdir:suffix"],
  ["sftp:user@host:dir/subdir/../other", "user", "host", undefined, "dir/other"],
  ["sftp:user@host:dir///subdir", "user", "host", undefined, "dir/subdir"],
  ["sftp:user@[::1]:/dir", "user", "::1", undefined, "/dir"],
  ["sftp:host:/dir/", undefined, "host", undefined, "/dir"],
  ["sftp:host:/", undefined, "host", undefined, "/"],
  ["sftp:host:with%20percent", undefined, "host", undefined, "with%20percent"],
];

test("URLs are read as restic reads them", () => {
  for (const [location, user, host, port, path] of CASES) {
    assert.deepEqual(parseSftpLocation(location), { location, user, host, port, path });
  }
});

test("what is no place is refused, and its secrets are not repeated", () => {
  const bad = [
    "sftp:",
    "sftp:host",
    "sftp:host:",
    "sftp::/path",
    "sftp://host",
    "sftp://host/",
    "sftp:///path",
    "sftp://host:port//path",
    "sftp://user:hunter2@host//path",
    "sftp:host:~/path",
    "sftp://host/~user",
    "sftp:-oProxyCommand=reboot:/path",
    "sftp:-lroot@host:/path",
    "sftp://-oProxyCommand=reboot//path",
    "sftp:host:/a\0b",
    "sftp://host//%zz",
  ];
  for (const location of bad) {
    assert.throws(
      () => parseSftpLocation(location),
      (error: unknown) => {
        assert.ok(isComebackError(error, "option.invalid"), location);
        assert.doesNotMatch(`${error.message} ${error.why} ${error.next}`, /hunter2/);
        return true;
      },
    );
  }
});

test("no text gives a place that ssh would take for an option", () => {
  fc.assert(
    fc.property(fc.string(), fc.boolean(), (text, isUrl) => {
      let place;
      try {
        place = parseSftpLocation(`${isUrl ? "sftp://" : "sftp:"}${text}`);
      } catch (error) {
        assert.ok(isComebackError(error, "option.invalid"));
        return;
      }
      assert.notEqual(place.host, "");
      assert.notEqual(place.path, "");
      assert.ok(!place.host.startsWith("-") && place.user?.startsWith("-") !== true);
    }),
    { seed: 1 },
  );
});

test("the command is restic's, and never waits where nobody can answer", () => {
  const place = parseSftpLocation("sftp://me@host:2222//srv");
  const plain = sshCommandFor(place);
  const batch = ["-o", "BatchMode=yes"];
  const base = ["host", "-p", "2222", "-l", "me"];
  assert.deepEqual(argumentsOf(plain, true), [...base, "-s", "sftp"]);
  assert.deepEqual(argumentsOf(plain, false), [...base, ...batch, "-s", "sftp"]);
  const withArgs = sshCommandFor(place, new Map([["args", "-i '/my key' -F x"]]));
  const args = [...base, "-i", "/my key", "-F", "x"];
  assert.deepEqual(argumentsOf(withArgs, false), [...args, ...batch, "-s", "sftp"]);
  const own = sshCommandFor(place, new Map([["command", "nc -U '/a b'"]]));
  assert.equal(own.program, "nc");
  assert.deepEqual(argumentsOf(own, false), ["-U", "/a b"]);
  const both = new Map([
    ["command", "x"],
    ["args", "y"],
  ]);
  assert.throws(
    () => sshCommandFor(place, both),
    (error) => isComebackError(error, "option.invalid"),
  );
});
