import { ComebackError, formatMany } from "@comeback/core";
import { check } from "@comeback/engine";
import { recordProof } from "./record-proof.ts";
import { isCaptured, type RunState, writtenDestinations } from "./run-state.ts";
import { verifySnapshot } from "./verify-snapshot.ts";

/** Reads back what this run stored, in each destination, and as much of the rest as is asked for. */
export async function verifyStage(state: RunState): Promise<void> {
  const { recorder, plan, services, request } = state;
  if (!plan.verify.enabled || request.dryRun) return;
  const sources = [...state.sources, ...(state.kit === undefined ? [] : [state.kit])];
  for (const destination of writtenDestinations(state)) {
    const mine = sources
      .filter(isCaptured)
      .flatMap(({ name, capture }) =>
        (capture?.stored ?? [])
          .filter((stored) => stored.destination === destination)
          .map(({ snapshot }) => ({ source: name, snapshot })),
      );
    if (mine.length === 0) continue;
    const { name, settings } = destination;
    const wish = { stage: "verify", subject: name, retries: settings.retries } as const;
    const result = await recorder.stage(wish, async (stage) => {
      const { repository, signal } = await destination.open();
      const either = AbortSignal.any([stage.signal, signal]);
      for (const { source, snapshot } of mine) {
        const { files } = await verifySnapshot(repository, snapshot, either);
        const whole = `snapshot ${snapshot.id.slice(0, 8)} is whole`;
        stage.log(`${source}: ${whole}, ${formatMany(files, "file")}`);
      }
      const whole = `${formatMany(mine.length, "snapshot")} read back`;
      if (plan.verify.readData === 0) return whole;
      const percentage = plan.verify.readData * 100;
      // Without a cache: what it would give is not what lies in the repository.
      await using bare = await services.openDestination(name, { useCache: false, signal: either });
      const { problems, problemCount } = await check({
        repository: bare.repository,
        readData: percentage >= 100 ? { kind: "all" } : { kind: "percentage", percentage },
        signal: AbortSignal.any([either, bare.signal]),
      });
      for (const { message } of problems) stage.log(message, "error");
      if (problemCount > 0) throw damagedRepository(name, problemCount);
      return `${whole}, ${percentage} % of the packs were read`;
    });
    await recordProof(state, name, result);
  }
}

function damagedRepository(name: string, count: number): ComebackError {
  return new ComebackError("check.failed", `${name} is damaged: ${formatMany(count, "problem")}`, {
    why: "they are named in the log of this stage",
    next: `run \`comeback -r ${name} check --read-data\` to see what is affected`,
  });
}
