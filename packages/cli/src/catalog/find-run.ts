import { type CatalogStore, ComebackError, type RunRecord } from "@comeback/core";

const SHOWN_MAX = 5;

/** The run that a person named: `latest` (of the plan), an id, or the start of just one. */
export async function findRun(
  store: CatalogStore,
  name: string,
  plan?: string,
): Promise<RunRecord> {
  if (name === "latest") {
    const [latest] = await store.listRuns({ plan, limit: 1 });
    if (latest !== undefined) return latest;
    const what = plan === undefined ? "no run is recorded" : `no run of ${plan} is recorded`;
    throw new ComebackError("run.not-found", what, { next: "list them with `comeback history`" });
  }
  const exact = await store.findRun(name);
  if (exact !== undefined) return exact;
  const runs = await store.listRuns({ idPrefix: name, limit: SHOWN_MAX + 1 });
  const [found, ...others] = runs;
  if (found === undefined) {
    throw new ComebackError("run.not-found", `there is no run ${name}`, {
      next: "list them with `comeback history`, of which the beginning of an id is enough",
    });
  }
  if (others.length === 0) return found;
  const shown = runs.slice(0, SHOWN_MAX).map(({ id }) => id);
  throw new ComebackError("run.not-found", `${name} is the start of several runs`, {
    why: `${shown.join(", ")}${runs.length > SHOWN_MAX ? ", …" : ""} all begin with it`,
    next: "give more of the id",
  });
}
