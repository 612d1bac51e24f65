import { REPLICATE_SAMPLE_PACKS } from "@comeback/core";
import type { Random } from "@comeback/core";
import type { Listing, ReplicationPlan } from "./plan-replication.ts";
import { typeOfPath } from "./replicated-file.ts";
import type { ReplicatedFile } from "./replicated-file.ts";

export type VerifyMode = "all" | "sample" | "none";

/**
 * The files whose contents are compared. A sample is everything small that was sent, config and keys
 * in any case, and some packs: of those just sent, and of those that have been there for long.
 */
export function filesToCompare(
  mode: VerifyMode,
  plan: ReplicationPlan,
  random: Random,
): ReplicatedFile[] {
  if (mode === "none") return [];
  const sent = plan.stages.filter(({ action }) => action === "send").flatMap(({ files }) => files);
  if (mode === "all") return [...sent, ...plan.present];
  const isPack = ({ path }: ReplicatedFile): boolean => typeOfPath(path) === "pack";
  const isSmall = ({ path }: ReplicatedFile): boolean =>
    typeOfPath(path) === "config" || typeOfPath(path) === "key";
  return [
    ...sent.filter((file) => !isPack(file)),
    ...plan.present.filter(isSmall),
    ...sampleOf(sent.filter(isPack), random),
    ...sampleOf(plan.present.filter(isPack), random),
  ];
}

function sampleOf(files: ReplicatedFile[], random: Random): ReplicatedFile[] {
  const rest = [...files];
  const sample: ReplicatedFile[] = [];
  const count = Math.min(rest.length, REPLICATE_SAMPLE_PACKS);
  const numbers = Buffer.from(random.fill(new Uint8Array(4 * count)).buffer);
  for (let i = 0; i < count; i++) {
    sample.push(...rest.splice(numbers.readUInt32LE(4 * i) % rest.length, 1));
  }
  return sample;
}

/** What should be in the target by now and is not, or not whole. */
export function notThere(plan: ReplicationPlan, target: Listing): string[] {
  const sent = plan.stages.filter(({ action }) => action === "send").flatMap(({ files }) => files);
  return sent
    .filter(({ path, sizeBytes }) => target.get(path) !== sizeBytes)
    .map(({ path }) => path);
}
