import { backendConformance } from "@comeback/testkit";
import { standInFixture } from "./stand-in-fixture.ts";

const MiB = 1024 * 1024;

backendConformance("a stand-in for S3", () => standInFixture());

backendConformance("a stand-in that ignores conditional puts", () =>
  standInFixture({ store: { isPutConditional: false } }),
);

backendConformance("uploads in parts, lists in the old way and in small pages", () =>
  standInFixture({
    store: { pageSize: 7 },
    open: { settings: new Map([["list-objects-v1", "true"]]) },
    tuning: { singlePutMaxBytes: MiB, partBytes: 5 * MiB },
  }),
);
