import type { Configuration } from "../configuration/schema/configuration.ts";
import type { PlanSettings } from "../configuration/schema/plan.ts";
import { type ForgetGroup, type KeepPolicy, planForget, type Snapshot } from "@comeback/engine";
import { groupsBySource } from "../copies/select-snapshots.ts";
import { readSnapshotTags } from "../runs/snapshot-tags.ts";

/** What one destination keeps of one plan. */
export interface RetentionRule {
  readonly destination: string;
  readonly keep: KeepPolicy;
  /**
   * The newest full snapshot of each source stays: differential ones are still to be compared with it,
   * and would silently become full ones without it.
   */
  readonly keepsLastFull: boolean;
}

/** The rules of a plan: its own destinations', then those of its copies. None: all is kept. */
export function retentionRules(
  configuration: Pick<Configuration, "destinations">,
  plan: Pick<PlanSettings, "to" | "keep" | "copies" | "schedule">,
): RetentionRule[] {
  const { destinations } = configuration;
  const hasDifferentials = plan.schedule?.triggers.differential !== undefined;
  const rules = [
    ...plan.to.map((name) => ({ name, keep: destinations[name]?.keep ?? plan.keep })),
    ...plan.copies
      .filter(({ to }) => destinations[to]?.replica === undefined)
      .map(({ to, keep }) => ({ name: to, keep: keep ?? destinations[to]?.keep })),
  ];
  return rules.flatMap(({ name, keep }) =>
    keep === undefined
      ? []
      : [{ destination: name, keep, keepsLastFull: hasDifferentials && plan.to.includes(name) }],
  );
}

export interface RetentionPlan {
  readonly destination: string;
  /** One for each source of the plan. */
  readonly groups: readonly (ForgetGroup & { readonly source: string })[];
  /** Snapshots that would go, and stay because a copy of them is still to be made. */
  readonly awaitingCopy: readonly Snapshot[];
  /** Sources of which nothing is removed while something about them is not as it should be. */
  readonly guarded: readonly string[];
}

export interface RetentionOptions {
  readonly destination: string;
  readonly keep: KeepPolicy;
  /** Of this plan and host only. */
  readonly snapshots: readonly Snapshot[];
  /** Ids that a copy has still to bring elsewhere. */
  readonly awaitingCopy: ReadonlySet<string>;
  readonly guarded: ReadonlySet<string>;
  /** Ids of which nobody knows whether they are what they should be: no good one goes for them. */
  readonly unproven?: ReadonlySet<string>;
  /** As in the rule; default: false. */
  readonly keepsLastFull?: boolean;
  readonly nowMs: number;
}

/** Applies a destination's policy to each source by itself. Nothing is removed here. */
export function planRetention(options: RetentionOptions): RetentionPlan {
  const { destination, snapshots, awaitingCopy, guarded } = options;
  const waiting: Snapshot[] = [];
  const groups = groupsBySource(snapshots).flatMap((group) => {
    const source = readSnapshotTags(group[0]?.tags)?.source ?? "";
    const lastFull = options.keepsLastFull === true ? newestFull(group, options) : undefined;
    return planSource(group, options).map((outcome) => {
      const stays = guarded.has(source) ? outcome.remove : [];
      const copied = outcome.remove.filter(({ id }) => awaitingCopy.has(id));
      waiting.push(...copied.filter((snapshot) => !stays.includes(snapshot)));
      const compared = outcome.remove.filter((snapshot) => snapshot === lastFull);
      const kept = new Set([...stays, ...copied, ...compared]);
      const reason = (snapshot: Snapshot): string => {
        if (copied.includes(snapshot)) return "not yet copied";
        if (stays.includes(snapshot)) return "kept until the source is complete again";
        return "differentials are compared with it";
      };
      return {
        ...outcome,
        source,
        keep: [
          ...outcome.keep,
          ...[...kept].map((snapshot) => ({ snapshot, matches: [reason(snapshot)] })),
        ],
        remove: outcome.remove.filter((snapshot) => !kept.has(snapshot)),
      };
    });
  });
  return { destination, groups, awaitingCopy: waiting, guarded: [...guarded] };
}

/**
 * What the policy says of one source's snapshots. What is unproven takes no good one's place: it
 * goes once it would go among all of them, and stays as long as there is no good one at all.
 */
function planSource(
  group: readonly Snapshot[],
  { keep: policy, unproven = new Set(), nowMs }: RetentionOptions,
): readonly ForgetGroup[] {
  const options = { policy, groupBy: { host: false, paths: false, tags: false }, nowMs };
  const all = planForget(group, options).groups;
  const good = group.filter(({ id }) => !unproven.has(id));
  if (good.length === group.length) return all;
  const doubtful = (one: Snapshot): boolean => unproven.has(one.id);
  const gone = good.length === 0 ? [] : all.flatMap(({ remove }) => remove.filter(doubtful));
  const stays = group.filter((one) => doubtful(one) && !gone.includes(one));
  const kept = stays.map((snapshot) => ({ snapshot, matches: ["not known to be right"] }));
  const [planned] = good.length === 0 ? [] : planForget(good, options).groups;
  const { key } = all[0]!;
  const keep = [...(planned?.keep ?? []), ...kept];
  return [{ key, keep, remove: [...(planned?.remove ?? []), ...gone] }];
}

function newestFull(
  snapshots: readonly Snapshot[],
  { unproven }: RetentionOptions,
): Snapshot | undefined {
  return snapshots
    .filter(({ id }) => unproven?.has(id) !== true)
    .filter(({ tags }) => readSnapshotTags(tags)?.backupType === "full")
    .toSorted((a, b) => Date.parse(b.time) - Date.parse(a.time))[0];
}
