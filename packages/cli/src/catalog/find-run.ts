import { type CatalogStore, ComebackError, type RunRecord } from "@comeback/core";

const SHOWN_MAX = 5;

/**
 * The run that a person named: `latest` of this host, or of its plan; or an id, or the start of just
 * one, of any host.
 */
export async function findRun(
  store: CatalogStore,
  name: string,
  plan?: string,
): Promise<RunRecord> {
  if (name === "latest") {
    const [latest] = await store.listRuns({ plan, limit: 1 });
    if (latest !== undefined) return latest;
    const what =
      plan === undefined
        ? `no run of ${store.host} is recorded`
        : `no run of ${plan} on ${store.host} is recorded`;
    throw new ComebackError("run.not-found", what, {
      next: "list those of all hosts with `comeback history --all-hosts`",
    });
  }
  const exact = await store.findRun(name);
  if (exact !== undefined) return exact;
  const runs = await store.listRuns({ hosts: "all", idPrefix: name, limit: SHOWN_MAX + 1 });
  const [found, ...others] = runs;
  if (found === undefined) {
    throw new ComebackError("run.not-found", `there is no run ${name}`, {
      next: "list them with `comeback history --all-hosts`, of which the beginning of an id is enough",
    });
  }
  if (others.length === 0) return found;
  const shown = runs.slice(0, SHOWN_MAX).map(({ id }) => id);
  throw new ComebackError("run.not-found", `${name} is the start of several runs`, {
    why: `${shown.join(", ")}${runs.length > SHOWN_MAX ? ", …" : ""} all begin with it`,
    next: "give more of the id",
  });
}
