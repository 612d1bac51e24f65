import { join } from "node:path";
import { ComebackError, formatMany } from "@comeback/core";
import { check, loadCheckMemory, saveCheckMemory } from "@comeback/engine";
import type { LiveDestination } from "./live-destination.ts";
import type { ActiveStage } from "./run-recorder.ts";
import { recordProof } from "./record-proof.ts";
import type { RunState } from "./run-state.ts";

/**
 * Reads as many packs of each destination as are due, so that every one is read within
 * `verify-within`, copies included. What was read when is remembered in the state folder.
 */
export async function coverStage(state: RunState): Promise<void> {
  const { recorder, plan, request } = state;
  if (!plan.verify.enabled || request.dryRun) return;
  for (const destination of state.destinations.values()) {
    const { name, settings } = destination;
    const { verifyWithin, retries } = settings;
    if (verifyWithin === undefined || settings.replica !== undefined) continue;
    const wish = { stage: "verify", subject: `${name}, packs`, retries } as const;
    const result = await recorder.stage(wish, (stage) =>
      readDue(state, { destination, everyMs: verifyWithin, stage }),
    );
    await recordProof(state, name, result);
  }
}

async function readDue(
  { services }: RunState,
  job: {
    readonly destination: LiveDestination;
    readonly everyMs: number;
    readonly stage: ActiveStage;
  },
): Promise<string> {
  const { destination, everyMs, stage } = job;
  const { name } = destination;
  // Without a cache: what it would give is not what lies in the repository.
  const opening = { useCache: false, signal: stage.signal };
  await using open = await services.openDestination(name, opening);
  const { id } = open.repository.config;
  const path = join(services.stateFolder, "check", `${id}.json`);
  const onWarning = ({ message }: ComebackError): void => stage.warn(message);
  const memory = await loadCheckMemory(path, id, onWarning);
  const { problems, problemCount, coverage } = await check({
    repository: open.repository,
    readData: { kind: "every", everyMs },
    memory,
    signal: AbortSignal.any([stage.signal, open.signal]),
  });
  await saveCheckMemory(path, memory, onWarning);
  for (const { message } of problems) stage.log(message, "error");
  if (problemCount > 0) {
    throw new ComebackError("check.failed", `${name} is damaged`, {
      why: `${formatMany(problemCount, "problem")}, named in the log of this stage`,
      next: `run \`comeback -r ${name} check --read-data\` to see what is affected`,
    });
  }
  const { packs = 0, recentPacks = 0 } = coverage ?? {};
  const message = `${recentPacks} of ${formatMany(packs, "pack")} were read in that time`;
  stage.log(message);
  return message;
}
