import { join } from "node:path";
import { test } from "node:test";
import { assertBackendTestPasses } from "../../drivers/backend-test-report.ts";
import { scratchFolder } from "../../drivers/scratch.ts";
import { startRestServer } from "../../services/rclone/rest-servers.ts";

const scratch = scratchFolder("rest-backend-test");

test("rest-server is good for backups, and no file of the test stays there", async () => {
  const folder = join(scratch, "data");
  await using server = await startRestServer({ data: folder });
  const location = `${server.url}/`;
  // The protocol cannot remove a folder.
  await assertBackendTestPasses({ location, folder, keepsFolders: true });
});
