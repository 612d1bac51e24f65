import { stat } from "node:fs/promises";
import { join } from "node:path";
import { ComebackError } from "@comeback/core";
import type { Backend, OperationOptions, Random } from "@comeback/core";
import { planReplication } from "./plan-replication.ts";
import type { Listing, ReplicationPlan, ReplicationStage } from "./plan-replication.ts";
import { pathOfFile } from "./replicated-file.ts";
import type { ReplicationTarget } from "./replication-target.ts";
import { filesToCompare, notThere } from "./verify-replica.ts";
import type { VerifyMode } from "./verify-replica.ts";

export interface ReplicationResult {
  readonly sentFiles: number;
  readonly sentBytes: number;
  readonly removedFiles: number;
  /** Files whose contents were compared; undefined where the target cannot. */
  readonly comparedFiles: number | undefined;
  /** Files of the target that are not as in the source, or not there. */
  readonly wrong: readonly string[];
}

/** Looks at both sides, and changes nothing. */
export async function prepareReplication(
  options: OperationOptions & {
    readonly source: Backend;
    readonly target: ReplicationTarget;
    readonly removes: boolean;
  },
): Promise<ReplicationPlan> {
  const { source, target, removes, signal } = options;
  const there = await listTarget(target, { signal });
  await assertSameRepository(source, target, there, { signal });
  return planReplication({ source: await listSource(source, { signal }), target: there, removes });
}

/**
 * Lists in the reverse of the order in which everybody writes: all that a listed snapshot needs was
 * there before it, and so is listed too, whoever backs up meanwhile.
 */
async function listSource(source: Backend, { signal }: OperationOptions): Promise<Listing> {
  const files = new Map<string, number>();
  for (const type of ["snapshot", "index", "pack", "key", "config"] as const) {
    for await (const { name, sizeBytes } of source.list(type, { signal })) {
      files.set(pathOfFile(type, name), sizeBytes);
    }
  }
  return files;
}

async function listTarget(target: ReplicationTarget, options: OperationOptions): Promise<Listing> {
  const files = new Map<string, number>();
  for await (const { path, sizeBytes } of target.list(options)) files.set(path, sizeBytes);
  return files;
}

/** A folder of another repository must not be mixed with this one. */
async function assertSameRepository(
  source: Backend,
  target: ReplicationTarget,
  there: Listing,
  options: OperationOptions,
): Promise<void> {
  const next = "choose an empty folder of its own for the copy";
  if (!there.has("config")) {
    // A first run that was interrupted has sent keys, and nothing yet that would need a config.
    if (![...there.keys()].some((path) => !path.startsWith("keys/"))) return;
    throw new ComebackError(
      "replicate.other-repository",
      `${target.location} holds files of a repository, but no config`,
      { next: `${next}, or bring its config back` },
    );
  }
  const ours = await source.load({ type: "config", name: "" }, options);
  if (Buffer.compare(await target.fetchConfig(options), ours) === 0) return;
  throw new ComebackError(
    "replicate.other-repository",
    `${target.location} holds another repository`,
    {
      why: "its config is not the one of the source",
      next: `${next}; after a \`migrate\` of the source, replace the copy's config by hand`,
    },
  );
}

/** Carries out a plan: sends in an order that keeps the copy valid at every moment, then removes. */
export async function carryOut(
  options: OperationOptions & {
    readonly plan: ReplicationPlan;
    readonly target: ReplicationTarget;
    /** The source's folder. */
    readonly folder: string;
    readonly verify: VerifyMode;
    readonly random: Random;
    onStage?(stage: ReplicationStage): void;
    onComparing?(files: number): void;
  },
): Promise<ReplicationResult> {
  const { plan, target, folder, verify, random, signal } = options;
  const removals = plan.stages.filter(({ action }) => action === "remove");
  for (const stage of plan.stages) {
    if (stage.action !== "send") continue;
    signal?.throwIfAborted();
    options.onStage?.(stage);
    await target.send(stage, { signal });
  }
  // Nothing goes before all that came is known to be there.
  const missing = await withoutVanished(
    folder,
    notThere(plan, await listTarget(target, { signal })),
  );
  const compared = filesToCompare(verify, plan, random);
  if (compared.length > 0) options.onComparing?.(compared.length);
  const found = compared.length > 0 ? await target.differing(compared, { signal }) : [];
  const differing = await withoutVanished(folder, found ?? []);
  const wrong = [
    ...new Set([...missing, ...differing, ...plan.differing.map((file) => file.path)]),
  ];
  if (wrong.length === 0) {
    for (const stage of removals) {
      signal?.throwIfAborted();
      options.onStage?.(stage);
      await target.remove(stage, { signal });
    }
  }
  const sent = plan.stages.filter(({ action }) => action === "send").flatMap(({ files }) => files);
  return {
    sentFiles: sent.length - missing.length,
    sentBytes: sent.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    removedFiles: wrong.length > 0 ? 0 : removals.reduce((sum, { files }) => sum + files.length, 0),
    comparedFiles: found === undefined ? undefined : compared.length,
    wrong,
  };
}

/** What others removed from the source meanwhile (`forget`, `key remove`) is nobody's loss. */
async function withoutVanished(folder: string, paths: readonly string[]): Promise<string[]> {
  const kept: string[] = [];
  for (const path of paths) {
    const isThere = await stat(join(folder, path)).then(
      () => true,
      () => false,
    );
    if (isThere) kept.push(path);
  }
  return kept;
}
