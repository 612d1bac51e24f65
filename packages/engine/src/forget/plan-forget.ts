import { ComebackError } from "@comeback/core";
import {
  groupSnapshots,
  type SnapshotGrouping,
  type SnapshotGroupKey,
} from "../snapshot/group-snapshots.ts";
import { isHeld } from "../snapshot/hold.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { instantOfMilliseconds } from "../repository/instant.ts";
import { localTimeZone } from "../tree/time-zone.ts";
import type { ZoneOffsets } from "../tree/time-text.ts";
import { applyPolicy, isEmptyPolicy, type KeepPolicy, type KeptSnapshot } from "./keep-policy.ts";
import { type Moment, parseMoment } from "./moment.ts";

/** What happens to the snapshots of one group; newest first. */
export interface ForgetGroup {
  readonly key: SnapshotGroupKey;
  readonly keep: readonly KeptSnapshot[];
  readonly remove: readonly Snapshot[];
}

/** Which snapshots go and which stay, and why. Made before anything is removed. */
export interface ForgetPlan {
  readonly groups: readonly ForgetGroup[];
}

export interface ForgetPlanOptions {
  readonly policy: KeepPolicy;
  /** By default host and paths, as restic. */
  readonly groupBy?: SnapshotGrouping;
  /** Without it, a policy that removes every snapshot of a group is refused. */
  readonly allowRemoveAll?: boolean;
  /** The snapshots are a choice by host, tag or path: only then may there be no rule at all. */
  readonly isFiltered?: boolean;
  readonly nowMs: number;
  /** By default the zone of this process. */
  readonly zone?: ZoneOffsets;
}

export const FORGET_GROUPING: SnapshotGrouping = { host: true, paths: true, tags: false };

/** Applies a policy to each group of the snapshots. */
export function planForget(snapshots: readonly Snapshot[], options: ForgetPlanOptions): ForgetPlan {
  const { policy, groupBy = FORGET_GROUPING, zone = localTimeZone() } = options;
  refuseNoRules(options);
  const now: Moment = { ...instantOfMilliseconds(options.nowMs), zone };
  const groups = groupSnapshots(snapshots, groupBy).map(({ key, snapshots: members }) => {
    const dated = members.map((snapshot) => ({
      snapshot,
      moment: parseMoment(snapshot.time, zone),
    }));
    return { key, ...applyPolicy(dated, policy, now) };
  });
  const emptied = groups.find(({ keep }) => keep.length === 0);
  if (emptied !== undefined && options.allowRemoveAll !== true) throw removesAll(emptied);
  return { groups };
}

/** The plan that removes just these. A held one among them is an error: nothing is removed then. */
export function planForgetNamed(snapshots: readonly Snapshot[]): ForgetPlan {
  const held = snapshots.filter(isHeld).map(({ id }) => id.slice(0, 8));
  if (held.length > 0) {
    const [are, them] = held.length === 1 ? ["is", "it"] : ["are", "them"];
    throw new ComebackError(
      "forget.held",
      `${held.join(", ")} ${are} held, and nothing was removed`,
      {
        why: "a held snapshot is not forgotten, whoever names it",
        next: `leave ${them} out, or release ${them} with \`comeback forget --unhold\``,
      },
    );
  }
  const key = { hostname: "", paths: null, tags: null };
  return { groups: [{ key, keep: [], remove: snapshots.toReversed() }] };
}

export function removedByPlan({ groups }: ForgetPlan): Snapshot[] {
  return groups.flatMap(({ remove }) => remove);
}

function refuseNoRules({ policy, allowRemoveAll, isFiltered }: ForgetPlanOptions): void {
  if (!isEmptyPolicy(policy)) return;
  if (allowRemoveAll !== true) {
    throw new ComebackError("option.invalid", "no rule says what to keep", {
      why: "nothing is removed without one",
      next: "give a rule such as --keep-daily 7, or the ids of the snapshots to remove",
    });
  }
  if (isFiltered !== true) {
    throw new ComebackError("option.invalid", "without any rule, every snapshot would go", {
      next: "say with --host, --tag or --path which snapshots are to be removed",
    });
  }
}

function removesAll({ key, remove }: ForgetGroup): ComebackError {
  const parts = [
    ...(key.hostname === "" ? [] : [`host ${key.hostname}`]),
    ...(key.paths === null ? [] : [`paths ${key.paths.join(", ")}`]),
    ...(key.tags === null ? [] : [`tags ${key.tags.join(", ")}`]),
  ];
  const group = parts.length === 0 ? "" : ` of ${parts.join(", ")}`;
  return new ComebackError("forget.removes-all", `every snapshot${group} would be removed`, {
    why:
      remove.length === 1
        ? "no rule keeps the only one that there is"
        : `no rule keeps one of the ${remove.length} that there are`,
    next: "add a rule that keeps some, such as --keep-last 1, or give --allow-remove-all",
  });
}
