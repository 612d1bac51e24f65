import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseCalendarDuration } from "../../src/forget/calendar-duration.ts";
import {
  applyPolicy,
  type DatedSnapshot,
  isEmptyPolicy,
  KEEP_PERIODS,
  type KeepPolicy,
} from "../../src/forget/keep-policy.ts";
import { type Moment, parseMoment } from "../../src/forget/moment.ts";
import { HOLD_TAG } from "../../src/snapshot/hold.ts";
import { timeZoneFor } from "../../src/tree/time-zone.ts";

const UTC = timeZoneFor("UTC");
const NOW_MS = Date.UTC(2026, 5, 15, 12);
const NOW: Moment = { seconds: NOW_MS / 1000, nanoseconds: 0, zone: UTC };
const HOUR_MS = 3_600_000;

function dated(number: number, time: string, tags: readonly string[] = []): DatedSnapshot {
  const id = String(number).padStart(64, "0");
  const snapshot = { id, time, tree: "0".repeat(64), paths: ["/a"], tags };
  return { snapshot, moment: parseMoment(time, UTC) };
}

/** Snapshots at these hours before now; the number is their place in the list. */
function hoursAgo(...hours: readonly number[]): DatedSnapshot[] {
  return hours.map((ago, place) => dated(place, new Date(NOW_MS - ago * HOUR_MS).toISOString()));
}

const length = (text: string) => {
  const parsed = parseCalendarDuration(text);
  assert.ok(parsed, text);
  return parsed;
};

/** The numbers of those that stay, each with its reasons. */
function kept(group: readonly DatedSnapshot[], policy: KeepPolicy): Record<number, string> {
  const { keep } = applyPolicy(group, policy, NOW);
  return Object.fromEntries(
    keep.map(({ snapshot, matches }) => [Number(snapshot.id), matches.join("; ")]),
  );
}

describe("a policy", () => {
  it("keeps the last of each of the newest periods, and the oldest where some are left", () => {
    const group = hoursAgo(1, 2, 3, 13, 14, 37, 60);
    assert.deepEqual(kept(group, { last: 2 }), { 0: "last snapshot", 1: "last snapshot" });
    assert.deepEqual(kept(group, { counts: { daily: 2 } }), {
      0: "daily snapshot",
      3: "daily snapshot",
    });
    assert.deepEqual(kept(group, { counts: { yearly: 3 } }), {
      0: "yearly snapshot",
      6: "oldest yearly snapshot",
    });
    assert.equal(Object.keys(kept(group, { last: Infinity })).length, 7);
  });

  it("counts durations from the latest snapshot that is not in the future", () => {
    const group = hoursAgo(-100, 1000, 1010, 1030);
    assert.deepEqual(kept(group, { within: length("1d") }), {
      0: "within 1d",
      1: "within 1d",
      2: "within 1d",
    });
    assert.deepEqual(kept(group, { withinPeriods: { monthly: length("1d5h") } }), {
      0: "monthly within 1d5h",
      1: "monthly within 1d5h",
    });
    const ahead = hoursAgo(-1, -2, -3);
    assert.equal(Object.keys(kept(ahead, { within: length("1h") })).length, 3);
  });

  it("keeps what has all tags of one of its lists", () => {
    const group = [
      dated(1, "2026-01-01T00:00:00Z", ["a", "b"]),
      dated(2, "2026-01-02T00:00:00Z", ["b"]),
      dated(3, "2026-01-03T00:00:00Z"),
    ];
    assert.deepEqual(kept(group, { tags: [["a", "b"], ["b"]] }), {
      1: "has tags [a, b]; has tags [b]",
      2: "has tags [b]",
    });
    assert.deepEqual(kept(group, { tags: [[""]] }), { 3: "has tags []" });
  });

  it("lets go only what is older than the least age and beyond the least count", () => {
    const group = hoursAgo(1, 30, 400, 500, 600);
    const policy = { minAge: length("14d"), minCount: 4 };
    assert.deepEqual(kept(group, policy), {
      0: "younger than 14d; one of the newest 4",
      1: "younger than 14d; one of the newest 4",
      2: "one of the newest 4",
      3: "one of the newest 4",
    });
    // A clock that is years ahead makes everything old: the count still holds.
    const late = { ...NOW, seconds: NOW.seconds + 10 * 366 * 86_400 };
    assert.equal(applyPolicy(group, policy, late).keep.length, 4);
  });

  it("never lets go what is held", () => {
    const group = [...hoursAgo(1, 2), dated(7, "2001-01-01T00:00:00Z", ["x", HOLD_TAG])];
    assert.deepEqual(kept(group, { last: 1 }), { 0: "last snapshot", 7: "held" });
    assert.deepEqual(kept(group, {}), { 7: "held" });
  });

  it("is empty where no rule can keep anything", () => {
    const nothing: KeepPolicy = {
      last: 0,
      counts: { daily: 0 },
      within: length("0d"),
      withinPeriods: { weekly: length("0h") },
      tags: [],
      minAge: length("0m"),
      minCount: 0,
    };
    assert.ok(isEmptyPolicy(nothing));
    assert.ok(isEmptyPolicy({}));
    for (const rule of [
      { last: 1 },
      { counts: { yearly: Infinity } },
      { within: length("1h") },
      { withinPeriods: { hourly: length("1y") } },
      { tags: [["a"]] },
      { minAge: length("14d") },
      { minCount: 7 },
    ] satisfies KeepPolicy[]) {
      assert.ok(!isEmptyPolicy({ ...nothing, ...rule }), JSON.stringify(rule));
    }
  });
});

const counts = fc.record(
  Object.fromEntries(KEEP_PERIODS.map((period) => [period, fc.nat(6)])) as Record<
    (typeof KEEP_PERIODS)[number],
    fc.Arbitrary<number>
  >,
);
const lengths = fc.record({
  years: fc.nat(2),
  months: fc.nat(20),
  days: fc.nat(60),
  hours: fc.nat(90),
});
const policies: fc.Arbitrary<KeepPolicy> = fc.record(
  {
    last: fc.nat(8),
    counts,
    within: lengths,
    withinPeriods: fc.record(
      { daily: lengths, weekly: lengths, yearly: lengths },
      { requiredKeys: [] },
    ),
    tags: fc.array(fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 2 }), { maxLength: 2 }),
    minAge: lengths,
    minCount: fc.nat(8),
  },
  { requiredKeys: [] },
);
const offsets = fc.constantFrom("Z", "+01:00", "-03:30", "+05:45", "+14:00", "-11:00");
const groups = (zones: fc.Arbitrary<string>): fc.Arbitrary<DatedSnapshot[]> =>
  fc
    .array(
      fc.record({
        minutesAgo: fc.oneof(fc.integer({ min: -5_000, max: 20_000 }), fc.nat(2_000_000)),
        zone: zones,
        tags: fc.subarray(["a", "b", HOLD_TAG]),
      }),
      { maxLength: 60 },
    )
    .map((list) =>
      list.map(({ minutesAgo, zone, tags }, number) => {
        const text = new Date(NOW_MS - minutesAgo * 60_000).toISOString().replace("Z", zone);
        return dated(number, text, tags);
      }),
    );

/** The ids that stay. */
function keptIds(group: readonly DatedSnapshot[], policy: KeepPolicy): Set<string> {
  return new Set(applyPolicy(group, policy, NOW).keep.map(({ snapshot }) => snapshot.id));
}

describe("any policy", () => {
  it("says of every snapshot once whether it stays, newest first, and why", () => {
    fc.assert(
      fc.property(groups(offsets), policies, (group, policy) => {
        const { keep, remove } = applyPolicy(group, policy, NOW);
        const all = [...keep.map(({ snapshot }) => snapshot), ...remove].map(({ id }) => id);
        assert.deepEqual(all.toSorted(), group.map(({ snapshot }) => snapshot.id).toSorted());
        assert.ok(keep.every(({ matches }) => matches.length > 0));
        for (const list of [keep.map(({ snapshot }) => snapshot), remove]) {
          const times = list.map(({ time }) => parseMoment(time, UTC).seconds);
          assert.deepEqual(
            times,
            times.toSorted((a, b) => b - a),
          );
        }
      }),
    );
  });

  it("keeps at least as much with one more rule", () => {
    fc.assert(
      fc.property(groups(offsets), policies, policies, (group, policy, other) => {
        const more = { ...other, ...policy };
        const less = keptIds(group, policy);
        assert.ok(less.isSubsetOf(keptIds(group, more)));
      }),
    );
  });

  it("removes nothing from what it has kept", () => {
    fc.assert(
      fc.property(groups(offsets), policies, (group, policy) => {
        const ids = keptIds(group, policy);
        const rest = group.filter(({ snapshot }) => ids.has(snapshot.id));
        assert.deepEqual(applyPolicy(rest, policy, NOW).remove, []);
      }),
    );
  });

  it("keeps all that is held, and the newest and youngest that it promises", () => {
    fc.assert(
      fc.property(groups(offsets), policies, fc.nat(8), fc.nat(60), (group, other, n, days) => {
        const minAge = { years: 0, months: 0, days, hours: 0 };
        const ids = keptIds(group, { ...other, minCount: n, minAge });
        const newest = group.toSorted((a, b) => b.moment.seconds - a.moment.seconds).slice(0, n);
        const limit = NOW.seconds - days * 86_400;
        for (const { snapshot, moment } of group) {
          const held = snapshot.tags?.includes(HOLD_TAG) === true;
          const young = days > 0 && moment.seconds > limit;
          if (held || young) assert.ok(ids.has(snapshot.id), snapshot.time);
        }
        const oldestOfNewest = newest.at(-1)?.moment.seconds ?? Infinity;
        const promised = group.filter(({ moment }) => moment.seconds > oldestOfNewest);
        assert.ok(promised.every(({ snapshot }) => ids.has(snapshot.id)));
        assert.ok(ids.size >= Math.min(n, group.length));
      }),
    );
  });

  it("of days means the last of each of the newest days, in one zone", () => {
    fc.assert(
      fc.property(
        offsets.chain((zone) => groups(fc.constant(zone))),
        fc.integer({ min: 1, max: 9 }),
        (group, n) => {
          const byDay = Map.groupBy(
            group.filter(({ snapshot }) => !snapshot.tags?.includes(HOLD_TAG)),
            ({ snapshot }) => snapshot.time.slice(0, 10),
          );
          const days = [...byDay.keys()].toSorted().reverse();
          const untagged = [...byDay.values()].flat();
          const kept = applyPolicy(untagged, { counts: { daily: n } }, NOW).keep;
          const expected = days.slice(0, n).map((day) => {
            const [newest] = byDay
              .get(day)!
              .toSorted((a, b) => b.moment.seconds - a.moment.seconds);
            return newest!.snapshot.time;
          });
          const oldest = untagged.toSorted((a, b) => a.moment.seconds - b.moment.seconds)[0];
          if (oldest !== undefined && days.length < n) expected.push(oldest.snapshot.time);
          const times = new Set(kept.map(({ snapshot }) => snapshot.time));
          assert.deepEqual([...times], [...new Set(expected)]);
        },
      ),
    );
  });
});
