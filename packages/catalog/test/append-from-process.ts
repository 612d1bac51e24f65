/**
 * Appends audit entries and runs to the catalog that is named, as a process of its own. Says of each
 * that it is done, once it is.
 */
import { writeSync } from "node:fs";
import { openCatalog } from "@comeback/catalog";
import { systemClock } from "@comeback/platform";

const [location = "", name = "", count = "0"] = process.argv.slice(2);
const { signal } = new AbortController();
await using store = await openCatalog(location, { host: "web1", clock: systemClock, signal });
for (let number = 0; number < Number(count); number++) {
  const subject = `${name} ${number}`;
  const atMs = Date.now();
  await store.appendAudit({ atMs, actor: name, action: "run.start", subject, details: {} });
  const run = { id: subject, plan: "shop", host: "web1", trigger: "manual" } as const;
  await store.saveRun({ ...run, startedAtMs: number, processId: process.pid });
  writeSync(1, `${subject}\n`);
}
