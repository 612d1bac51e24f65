import { after } from "node:test";
import { openCatalog } from "@comeback/catalog";
import { systemClock } from "@comeback/platform";
import { catalogConformance } from "@comeback/testkit";
import { makeDatabase } from "../services/postgres/make-database.ts";
import { startPostgres } from "../services/postgres/start-postgres.ts";

const server = await startPostgres();
after(() => server[Symbol.asyncDispose]());

catalogConformance("PostgreSQL", async () => {
  const url = await makeDatabase(server);
  const { signal } = new AbortController();
  const open = (host = "web1") => openCatalog(url, { host, clock: systemClock, signal });
  const store = await open();
  return {
    store,
    another: open,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
});
