import { type Clock, ComebackError, type Snapshotter } from "@comeback/core";
import type { resolveSecret } from "@comeback/operations";
import { type JournalHeader, type UndoExecutor, undoExecutor } from "@comeback/operations/undo";
import { systemCommandRunner } from "@comeback/platform";

export interface UndoWorld {
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
}

/**
 * What undoes in the place of a run that has gone. Secrets and snapshotters are those of the
 * configuration that its journal names, which is loaded when they are needed: most steps need none,
 * and a configuration that is broken meanwhile is no reason to leave a service stopped.
 */
export function undoExecutorFor(
  world: UndoWorld,
): (header: JournalHeader | undefined) => Promise<UndoExecutor> {
  return (header) => {
    const path = configurationOf(header);
    const loaded = (): Promise<Loaded> => load(world, path);
    return Promise.resolve(
      undoExecutor({
        runner: systemCommandRunner,
        fetch,
        resolveSecret: async (reference, signal) => {
          const { resolveSecret: resolve } = await loaded();
          const secrets = { env: world.env, commands: systemCommandRunner, signal };
          return resolve(reference, secrets, "an action's secret");
        },
        snapshotter: (name) => lazySnapshotter(name, loaded),
      }),
    );
  };
}

interface Loaded {
  readonly resolveSecret: typeof resolveSecret;
  snapshotter(name: string): Promise<Snapshotter | undefined>;
}

async function load({ env, clock }: UndoWorld, path: string | undefined): Promise<Loaded> {
  const operations = await import("@comeback/operations");
  const { loadConfiguration } = operations;
  return {
    resolveSecret: operations.resolveSecret,
    async snapshotter(name) {
      const { signal } = new AbortController();
      const { configuration } = await loadConfiguration({ path, env, signal });
      const settings = configuration.snapshotters[name];
      if (settings === undefined) return undefined;
      const [{ makeSnapshotter }, { sourceServicesFor }] = await Promise.all([
        import("../sources/make-snapshotter.ts"),
        import("../sources/source-services-for.ts"),
      ]);
      return makeSnapshotter(settings, sourceServicesFor({ env, clock }));
    },
  };
}

/** Only removes: that is all that there is to undo. */
function lazySnapshotter(name: string, loaded: () => Promise<Loaded>): Snapshotter {
  const refuse = (): never => {
    throw new ComebackError("undo.incomplete", `${name} is only removed here`);
  };
  return {
    kind: name,
    probe: refuse,
    plan: refuse,
    create: refuse,
    verify: refuse,
    async remove(token, signal) {
      const snapshotter = await (await loaded()).snapshotter(name);
      if (snapshotter !== undefined) return snapshotter.remove(token, signal);
      throw new ComebackError("undo.incomplete", `no snapshotter is named ${name}`, {
        why: "the configuration that the run had named it",
        next: "put it back into the configuration, or remove by hand what it created",
      });
    },
  };
}

function configurationOf(header: JournalHeader | undefined): string | undefined {
  const settings = header?.settings;
  if (typeof settings !== "object" || settings === null || !("configuration" in settings)) {
    return undefined;
  }
  const { configuration } = settings;
  return typeof configuration === "string" ? configuration : undefined;
}
