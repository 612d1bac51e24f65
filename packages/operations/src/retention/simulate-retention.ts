import type { BackupType } from "@comeback/core";
import type { KeepPolicy, Snapshot } from "@comeback/engine";
import type { Configuration } from "../configuration/schema/configuration.ts";
import type { CopySettings, PlanSettings } from "../configuration/schema/plan.ts";
import { orderCopies } from "../copies/order-copies.ts";
import { periodOf } from "../copies/period-of.ts";
import { selectForCopy } from "../copies/select-snapshots.ts";
import { readSnapshotTags, snapshotTags } from "../runs/snapshot-tags.ts";
import { timezoneOf } from "../runs/timezone-of.ts";
import { QuietWindows } from "../schedule/quiet-windows.ts";
import { planRetention, type RetentionRule, retentionRules } from "./plan-retention.ts";
import { type PlannedStart, plannedStarts } from "./planned-starts.ts";

/** What happens in one week, Monday to Sunday. */
export interface SimulatedWeek {
  /** Its Monday: "2026-11-23". */
  readonly week: string;
  readonly made: number;
  readonly removed: number;
  /** Snapshots that are there at its end. */
  readonly kept: number;
}

export interface SimulatedSnapshot {
  readonly atMs: number;
  readonly type: BackupType;
  /** Which rules keep it, in restic's words. */
  readonly reasons: readonly string[];
  /** It is in the repository already. */
  readonly isThere: boolean;
}

/** How a destination fares with sources that all fare alike. */
export interface SimulatedDestination {
  readonly destination: string;
  readonly sources: readonly string[];
  /** What it keeps; `undefined`: all. */
  readonly hasRules: boolean;
  readonly weeks: readonly SimulatedWeek[];
  /** What is there at the end, newest first. */
  readonly kept: readonly SimulatedSnapshot[];
}

export interface RetentionSimulation {
  readonly plan: string;
  readonly timezone: string;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Backups that the schedule makes in that time. */
  readonly runs: number;
  readonly destinations: readonly SimulatedDestination[];
  /** Destinations that are kept like another one. */
  readonly replicas: readonly { readonly destination: string; readonly from: string }[];
}

export interface SimulationOptions {
  readonly configuration: Pick<Configuration, "destinations" | "timezone">;
  readonly name: string;
  readonly plan: PlanSettings;
  readonly fromMs: number;
  readonly untilMs: number;
  /** What is there at the beginning, by destination; of this plan and host only. */
  readonly existing?: ReadonlyMap<string, readonly Snapshot[]>;
}

/**
 * What retention will make of a plan's schedule: every run of the time ahead on paper, at the moment
 * at which the daemon starts it, with the same rules as in earnest. Each run goes well and takes no
 * time, and each copy gets through at once where its window is open, and waits for it elsewhere.
 */
export function simulateRetention(options: SimulationOptions): RetentionSimulation {
  const { configuration, name, plan, fromMs, untilMs } = options;
  const timezone = timezoneOf(configuration, plan);
  const starts = plannedStarts({ configuration, name, plan }, { fromMs, untilMs });
  const all = Object.keys(plan.sources).flatMap((source) =>
    new SourceSimulation({ ...options, source, timezone }).run(starts),
  );
  return {
    plan: name,
    timezone,
    fromMs,
    untilMs,
    runs: starts.filter(({ type }) => type !== undefined).length,
    destinations: joinAlike(all),
    replicas: plan.copies
      .filter(({ to }) => configuration.destinations[to]?.replica !== undefined)
      .map(({ from, to }) => ({ destination: to, from })),
  };
}

interface Counts {
  made: number;
  removed: number;
  kept: number;
}

/** One place of one source, as it goes. */
class Place {
  readonly destination: string;
  readonly keep: KeepPolicy | undefined;
  readonly keepsLastFull: boolean;
  readonly existing: ReadonlySet<Snapshot>;
  readonly weeks = new Map<string, Counts>();
  snapshots: Snapshot[];

  constructor(destination: string, rule: RetentionRule | undefined, existing: readonly Snapshot[]) {
    this.destination = destination;
    this.keep = rule?.keep;
    this.keepsLastFull = rule?.keepsLastFull ?? false;
    this.existing = new Set(existing);
    this.snapshots = [...existing];
  }

  count(week: string, what: "made" | "removed", by: number): void {
    const counts = this.weeks.get(week) ?? { made: 0, removed: 0, kept: 0 };
    counts[what] += by;
    counts.kept = this.snapshots.length;
    this.weeks.set(week, counts);
  }
}

class SourceSimulation {
  readonly #options: SimulationOptions & { readonly source: string; readonly timezone: string };
  readonly #places: ReadonlyMap<string, Place>;
  readonly #copies: readonly CopySettings[];
  /** Of copies that have one, by target. */
  readonly #windows: Map<string, QuietWindows> = new Map();
  #made = 0;

  constructor(options: SimulationOptions & { readonly source: string; readonly timezone: string }) {
    const { configuration, plan, existing, source } = options;
    this.#options = options;
    const isReplica = (name: string): boolean =>
      configuration.destinations[name]?.replica !== undefined;
    this.#copies = orderCopies(plan.copies, plan.to).filter(({ to }) => !isReplica(to));
    const rules = retentionRules(configuration, plan);
    const names = [...plan.to, ...this.#copies.map(({ to }) => to)];
    const places = names.map((name) => {
      const rule = rules.find(({ destination }) => destination === name);
      const known = (existing?.get(name) ?? []).filter(
        ({ tags }) => readSnapshotTags(tags)?.source === source,
      );
      return [name, new Place(name, rule, known)] as const;
    });
    this.#places = new Map(places);
  }

  run(starts: readonly PlannedStart[]): (SimulatedDestination & { readonly source: string })[] {
    for (const start of starts) this.#step(start);
    return [...this.#places.values()].map((place) => ({
      destination: place.destination,
      source: this.#options.source,
      sources: [this.#options.source],
      hasRules: place.keep !== undefined,
      weeks: [...place.weeks].map(([week, counts]) => ({ week, ...counts })),
      kept: this.#keptIn(place),
    }));
  }

  #step({ atMs, type, copies }: PlannedStart): void {
    const { plan, timezone } = this.#options;
    const week = periodOf(atMs, "weekly", timezone);
    if (type !== undefined) {
      const made = this.#typeOf(type);
      for (const name of plan.to) {
        const place = this.#places.get(name)!;
        place.snapshots.push(this.#snapshot(atMs, made));
        place.count(week, "made", 1);
      }
    }
    for (const copy of this.#copies) {
      const isDue = copy.schedule === undefined ? type !== undefined : copies.includes(copy.to);
      if (!isDue || !this.#isOpen(copy, atMs)) continue;
      const target = this.#places.get(copy.to)!;
      const wanted = this.#awaiting(copy, atMs);
      target.snapshots.push(...wanted.map((one) => this.#copyOf(one)));
      target.count(week, "made", wanted.length);
    }
    for (const place of this.#places.values()) {
      const { remove } = this.#retention(place, atMs);
      const doomed = new Set(remove);
      place.snapshots = place.snapshots.filter((snapshot) => !doomed.has(snapshot));
      place.count(week, "removed", doomed.size);
    }
  }

  /** What it becomes: full where there is nothing to compare with. */
  #typeOf(type: BackupType): BackupType {
    const [first = ""] = this.#options.plan.to;
    const known = this.#places.get(first)?.snapshots ?? [];
    const isWanted = ({ tags }: Snapshot): boolean =>
      type === "incremental" || readSnapshotTags(tags)?.backupType === "full";
    return known.some(isWanted) ? type : "full";
  }

  #isOpen({ to, window }: CopySettings, atMs: number): boolean {
    if (window === undefined) return true;
    const windows = this.#windows.get(to) ?? new QuietWindows([window], this.#options.timezone);
    this.#windows.set(to, windows);
    return windows.firstOpen(atMs) > atMs;
  }

  #awaiting(copy: CopySettings, nowMs: number): Snapshot[] {
    const { timezone } = this.#options;
    const here = this.#places.get(copy.from)!.snapshots;
    const { snapshots: there, keep } = this.#places.get(copy.to)!;
    return selectForCopy(here, there, { only: copy.only, keep, nowMs, timezone });
  }

  #retention(
    { destination, keep, keepsLastFull, snapshots }: Place,
    nowMs: number,
  ): {
    readonly remove: readonly Snapshot[];
    readonly reasons: ReadonlyMap<string, readonly string[]>;
  } {
    if (keep === undefined || snapshots.length === 0) return { remove: [], reasons: new Map() };
    const waiting = this.#copies
      .filter(({ from }) => from === destination)
      .flatMap((copy) => this.#awaiting(copy, nowMs));
    const { groups } = planRetention({
      destination,
      keep,
      keepsLastFull,
      snapshots,
      awaitingCopy: new Set(waiting.map(({ id }) => id)),
      guarded: new Set(),
      nowMs,
    });
    const kept = groups.flatMap((group) => group.keep);
    return {
      remove: groups.flatMap(({ remove }) => remove),
      reasons: new Map(kept.map(({ snapshot, matches }) => [snapshot.id, matches])),
    };
  }

  #keptIn(place: Place): SimulatedSnapshot[] {
    const { reasons } = this.#retention(place, this.#options.untilMs);
    return place.snapshots
      .map((snapshot) => ({
        atMs: Date.parse(snapshot.time),
        type: readSnapshotTags(snapshot.tags)?.backupType ?? ("full" as const),
        reasons: reasons.get(snapshot.id) ?? [],
        isThere: place.existing.has(snapshot),
      }))
      .toSorted((a, b) => b.atMs - a.atMs);
  }

  #snapshot(atMs: number, type: BackupType): Snapshot {
    const { name, source } = this.#options;
    return {
      id: this.#nextId(),
      time: localTimeText(atMs),
      tree: "",
      paths: [],
      tags: snapshotTags({ plan: name, source, backupType: type, runId: String(atMs) }),
    };
  }

  #copyOf(snapshot: Snapshot): Snapshot {
    return { ...snapshot, id: this.#nextId(), original: snapshot.original ?? snapshot.id };
  }

  #nextId(): string {
    return String(++this.#made).padStart(64, "0");
  }
}

/** In this machine's zone, as backups write it: the rules take a snapshot's day from it. */
function localTimeText(atMs: number): string {
  const minutes = -new Date(atMs).getTimezoneOffset();
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const offset = `${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
  return new Date(atMs + minutes * 60_000).toISOString().replace("Z", offset);
}

/** Sources that fare alike in a destination are one row of people's attention. */
function joinAlike(
  all: readonly (SimulatedDestination & { readonly source: string })[],
): SimulatedDestination[] {
  const alike = Map.groupBy(all, ({ destination, weeks, kept }) =>
    JSON.stringify([destination, weeks, kept]),
  );
  return [...alike.values()]
    .map((group) => {
      const { destination, hasRules, weeks, kept } = group[0]!;
      const sources = group.map(({ source }) => source);
      return { destination, sources, hasRules, weeks, kept };
    })
    .toSorted((a, b) => placeOf(all, a) - placeOf(all, b));
}

/** Destinations in the order in which the plan names them. */
function placeOf(
  all: readonly SimulatedDestination[],
  { destination }: Pick<SimulatedDestination, "destination">,
): number {
  return all.findIndex((one) => one.destination === destination);
}
