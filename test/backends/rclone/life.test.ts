import { test } from "node:test";
import { makeFolder, scratchFolder } from "../../drivers/scratch.ts";
import { makeRcloneConfig } from "../../services/rclone/rclone-config.ts";
import { liveThrough } from "../rest/repository-life.ts";

const scratch = scratchFolder("rclone-life");

test("a repository's life in a folder behind rclone", async () => {
  const place = makeFolder(scratch, "disk");
  const { env } = makeRcloneConfig(place);
  await liveThrough(place, { location: "rclone:disk:backup/laptop", env }, 711);
});

test("a repository's life behind rclone's own encryption", async () => {
  const place = makeFolder(scratch, "crypt");
  const { env } = makeRcloneConfig(place);
  await liveThrough(place, { location: "rclone:secret:laptop", env }, 712);
});
