import { catalogConformance } from "@comeback/testkit";
import { TemporaryCatalogs } from "./temporary-catalog.ts";

catalogConformance("SQLite", async () => {
  const catalogs = new TemporaryCatalogs();
  return {
    store: await catalogs.open(),
    another: (host) => catalogs.open(host === undefined ? {} : { host }),
    [Symbol.asyncDispose]: () => catalogs[Symbol.asyncDispose](),
  };
});
