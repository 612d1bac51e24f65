import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import type { ErrorCode, OpenBackendOptions } from "@comeback/core";
import { readAzureSettings, tierFor } from "../src/azure-settings.ts";

const KEY = Buffer.alloc(64, 7).toString("base64");
const ACCOUNT = { AZURE_ACCOUNT_NAME: "myaccount", AZURE_ACCOUNT_KEY: KEY };

function settings(values: Readonly<Record<string, string>>): OpenBackendOptions {
  return { env: ACCOUNT, settings: new Map(Object.entries(values)) };
}

function assertRefused(options: OpenBackendOptions, code: ErrorCode, why: RegExp): void {
  assert.throws(
    () => readAzureSettings(options),
    (error: unknown) => {
      assert.ok(isComebackError(error, code), String(error));
      const text = [error.message, error.why, error.next].join("\n");
      assert.match(text, why);
      assert.ok(!text.includes(KEY));
      return true;
    },
  );
}

test("the environment is restic's", () => {
  const byKey = readAzureSettings({ env: ACCOUNT });
  assert.equal(byKey.endpoint, "https://myaccount.blob.core.windows.net");
  assert.deepEqual(byKey.credential, { kind: "account-key", key: KEY });
  assert.equal(byKey.connections, 5);
  const elsewhere = { ...ACCOUNT, AZURE_ENDPOINT_SUFFIX: "core.chinacloudapi.cn" };
  const { endpoint } = readAzureSettings({ env: elsewhere });
  assert.equal(endpoint, "https://myaccount.blob.core.chinacloudapi.cn");

  const both = readAzureSettings({ env: { ...ACCOUNT, AZURE_ACCOUNT_SAS: "sv=1&sig=abc" } });
  assert.equal(both.credential.kind, "account-key");
  for (const text of ["sv=1&sig=a%2Fb%3D", "?sv=1&sig=a%2Fb%3D"]) {
    const env = { AZURE_ACCOUNT_NAME: "myaccount", AZURE_ACCOUNT_SAS: text };
    const { credential } = readAzureSettings({ env });
    assert.deepEqual(credential, { kind: "signature", query: "sv=1&sig=a%2Fb%3D" });
  }
});

test("without key and signature it is an identity's turn, on demand that of `az`", () => {
  for (const [force, isCliOnly] of [
    [undefined, false],
    ["", false],
    ["false", false],
    ["0", false],
    ["true", true],
    ["1", true],
  ] as const) {
    const env = { AZURE_ACCOUNT_NAME: "myaccount", AZURE_FORCE_CLI_CREDENTIAL: force };
    const { credential } = readAzureSettings({ env });
    assert.deepEqual(credential, { kind: "identity", isCliOnly }, String(force));
  }
});

test("what cannot be used is refused before any call", () => {
  assertRefused({}, "backend.credentials", /AZURE_ACCOUNT_NAME/);
  assertRefused({ env: { AZURE_ACCOUNT_NAME: "My.Account" } }, "option.invalid", /lower-case/);
  const badSuffix = { ...ACCOUNT, AZURE_ENDPOINT_SUFFIX: "x/y" };
  assertRefused({ env: badSuffix }, "option.invalid", /AZURE_ENDPOINT_SUFFIX/);
  const badKey = { ...ACCOUNT, AZURE_ACCOUNT_KEY: "no key!" };
  assertRefused({ env: badKey }, "backend.credentials", /not Base64/);
  const unsigned = { AZURE_ACCOUNT_NAME: "myaccount", AZURE_ACCOUNT_SAS: "sv=1" };
  assertRefused({ env: unsigned }, "backend.credentials", /no signature/);
  const nameless = {
    env: { AZURE_ACCOUNT_KEY: KEY },
    settings: new Map([["endpoint", "http://127.0.0.1/x"]]),
  };
  assertRefused(nameless, "backend.credentials", /AZURE_ACCOUNT_NAME/);
  for (const endpoint of ["nonsense", "ftp://x/", "https://u:p@x/", "https://x/?sig=1"]) {
    assertRefused(settings({ endpoint }), "option.invalid", /azure\.endpoint/);
  }
  for (const connections of ["0", "-1", "5x", "", "1001", "1e3"]) {
    assertRefused(settings({ connections }), "option.invalid", /1 to 1000/);
  }
  assertRefused(settings({ "access-tier": "Warm" }), "option.invalid", /Hot, Cool, Cold, Archive/);
});

test("settings are understood", () => {
  const endpoint = "http://127.0.0.1:10000/devstoreaccount1";
  const read = readAzureSettings(settings({ endpoint: `${endpoint}/`, connections: "12" }));
  assert.equal(read.endpoint, endpoint);
  assert.equal(read.connections, 12);
});

test("only packs of file contents go into the archive", () => {
  const pack = { type: "pack", name: "ab".repeat(32) } as const;
  const index = { type: "index", name: "ab".repeat(32) } as const;
  for (const [values, data, tree, other] of [
    [{}, undefined, undefined, undefined],
    [{ "access-tier": "cool" }, "Cool", "Cool", "Cool"],
    [{ "access-tier": "ARCHIVE" }, "Archive", undefined, undefined],
    [{ "access-tier-data": "Archive" }, "Archive", undefined, undefined],
    [{ "access-tier": "Hot", "access-tier-data": "Cold" }, "Cold", "Hot", "Hot"],
  ] as const) {
    const read = readAzureSettings(settings(values));
    assert.equal(tierFor(read, pack, "data"), data);
    assert.equal(tierFor(read, pack, "tree"), tree);
    assert.equal(tierFor(read, pack, undefined), tree);
    assert.equal(tierFor(read, index, undefined), other);
  }
});
