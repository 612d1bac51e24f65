import { join } from "node:path";
import { test } from "node:test";
import { assertBackendTestPasses } from "../../drivers/backend-test-report.ts";
import { makeFolder } from "../../drivers/scratch.ts";
import { startPlace } from "./sftp-fixture.ts";

const place = await startPlace("sftp-backend-test");

test("OpenSSH's server is good for backups, and nothing of the test stays there", async () => {
  const folder = makeFolder(join(place.folder, "store"));
  const location = `sftp:backup:${folder}`;
  await assertBackendTestPasses({ location, env: place.user.environment, folder });
});
