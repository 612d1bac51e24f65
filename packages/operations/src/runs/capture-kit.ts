import { source, type SourceSettings } from "../configuration/schema/source.ts";
import { bootstrapKit, KIT_FOLDER, KIT_SOURCE, type KitHistory } from "./bootstrap-kit.ts";
import { captureStage } from "./capture-stage.ts";
import { makeSourceRun, type RunState, writtenDestinations } from "./run-state.ts";

/** Nothing is expected of the kit: it changes with every run. */
const KIT_SETTINGS: SourceSettings = source.parse({
  files: KIT_FOLDER,
  expect: { vanished: "ignore", shrink: { reaction: "ignore" }, surge: { reaction: "ignore" } },
});

/** Of the catalog, so many of each at most are looked at. */
const KIT_RECORDS_MAX = 500;

/** What it takes to begin again is part of every plan, also of one whose sources all failed. */
export async function captureKit(state: RunState): Promise<void> {
  const { services, catalog, request, runId, recorder } = state;
  // Where nothing can be written, that has been told already.
  if (writtenDestinations(state).length === 0) return;
  const { host, configuration, configurationFiles } = services;
  const { plan } = request;
  const limit = KIT_RECORDS_MAX;
  const runs = (await recorder.read(() => catalog.listRuns({ plan, limit }))) ?? [];
  const snapshots = (await recorder.read(() => catalog.listSnapshots({ plan, limit }))) ?? [];
  // Of this run there is nothing to tell yet.
  const history: KitHistory = { runs: runs.filter(({ id }) => id !== runId), snapshots };
  const files = bootstrapKit({
    plan: request.plan,
    host,
    configuration,
    files: configurationFiles,
    history,
  });
  const kit = makeSourceRun(KIT_SOURCE, KIT_SETTINGS);
  kit.protected = services.makeKit(files);
  await captureStage(state, kit);
  state.kit = kit;
}
