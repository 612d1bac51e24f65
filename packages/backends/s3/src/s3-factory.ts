import type { BackendFactory } from "@comeback/core";
import { S3_SETTINGS } from "./settings.ts";

/** Repositories in a bucket of an object store: `s3:HOST/BUCKET/PREFIX`. The SDK comes when used. */
export const s3BackendFactory: BackendFactory = {
  scheme: "s3",
  settings: S3_SETTINGS,
  create: async (location, options) => (await import("./create.ts")).createS3(location, options),
  open: async (location, options) => (await import("./open.ts")).openS3(location, options),
};
