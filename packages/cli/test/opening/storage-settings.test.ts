import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import { settingsFor } from "../../src/opening/storage-settings.ts";

const REGION = { scheme: "s3x", name: "region", value: "secret" };

test("without settings there are none", async () => {
  assert.equal((await settingsFor("local", {})).size, 0);
});

test("settings of storage that does not exist, and names it does not have, are refused", async () => {
  const cases = [
    [REGION, /"s3x:" is no kind of storage/, /supported today: a folder/],
    [
      { scheme: "local", name: "regoin", value: "secret" },
      /^-o local.regoin is no setting of local$/,
      /there is local\.mount-point, /,
    ],
    [
      { scheme: "local", name: "constructor", value: "secret" },
      /^-o local.constructor is no setting of local$/,
      /there is local\.mount-point, /,
    ],
  ] as const;
  for (const [setting, says, next] of cases) {
    await assert.rejects(settingsFor("local", { settings: [setting] }), (error: unknown) => {
      assert.ok(isComebackError(error, "option.invalid"));
      assert.match(error.message, says);
      assert.match(error.next ?? "", next);
      assert.doesNotMatch(`${error.message}${error.next}`, /secret/);
      return true;
    });
  }
});
