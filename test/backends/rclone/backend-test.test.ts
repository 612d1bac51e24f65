import { test } from "node:test";
import { assertBackendTestPasses } from "../../drivers/backend-test-report.ts";
import { scratchFolder } from "../../drivers/scratch.ts";
import { makeRcloneConfig } from "../../services/rclone/rclone-config.ts";

const scratch = scratchFolder("rclone-backend-test");

test("a remote of rclone's is good for backups, and nothing of the test stays there", async () => {
  const { env, root: folder } = makeRcloneConfig(scratch);
  await assertBackendTestPasses({ location: "rclone:whole:", env, folder });
});
