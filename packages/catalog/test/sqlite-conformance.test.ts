import { catalogConformance } from "@comeback/testkit";
import { TemporaryCatalogs } from "./temporary-catalog.ts";

catalogConformance("SQLite", async () => {
  const catalogs = new TemporaryCatalogs();
  return {
    store: await catalogs.open(),
    another: () => catalogs.open(),
    [Symbol.asyncDispose]: () => catalogs[Symbol.asyncDispose](),
  };
});
