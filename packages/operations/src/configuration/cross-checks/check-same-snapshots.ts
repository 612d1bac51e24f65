import type { SourceSettings } from "../schema/source.ts";
import type { CheckContext } from "./check-context.ts";

/**
 * Two sources whose snapshots have the same host and paths would take each other's for their own
 * earlier ones: for the parent of a backup, and for what retention counts.
 */
export function checkSameSnapshots(context: CheckContext): void {
  const seen = new Map<string, string>();
  for (const [planName, plan] of Object.entries(context.configuration.plans)) {
    for (const [name, source] of Object.entries(plan.sources)) {
      const what = snapshotPaths(source);
      if (what === undefined) continue;
      const own = `${planName}.${name}`;
      for (const to of new Set(plan.to)) {
        const key = `${to}\0${what}`;
        const before = seen.get(key);
        if (before !== undefined) {
          const message =
            `"${before}" writes the same to "${to}" already, and the two would take each other's ` +
            "snapshots for their own; put both into one, or write them to different destinations";
          context.report(["plans", planName, "sources", name], message, { atKey: true });
          break;
        }
        seen.set(key, own);
      }
    }
  }
}

/** What its snapshots are called by; undefined where that cannot be told from here. */
function snapshotPaths(source: SourceSettings): string | undefined {
  switch (source.kind) {
    case "files":
      return `files ${JSON.stringify([...source.settings.paths].map(trimmed).toSorted())}`;
    case "configuration":
      return `configuration ${JSON.stringify([...source.settings.paths].map(trimmed).toSorted())}`;
    case "command":
      return `command ${trimmed(source.settings.filename)}`;
    case "postgres": {
      const { url = "", databases = [], exclude } = source.settings;
      return `postgres ${JSON.stringify([url, [...databases].toSorted(), [...exclude].toSorted()])}`;
    }
  }
}

function trimmed(path: string): string {
  return path.replaceAll(/\/+/g, "/").replace(/(?<=.)\/$/, "");
}
