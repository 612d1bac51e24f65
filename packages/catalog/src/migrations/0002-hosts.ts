import { type Migration, OPENER_KEY } from "./migration.ts";

/**
 * Plans, destinations and notes become those of a host: names alone had several hosts in one
 * catalog take each other's for their own.
 *
 * An old row is the host's whose run made it. Where that run is not there any more, it is that of
 * the newest run of its plan; where there is none either, of the host that opens the catalog.
 */
export const hosts: Migration = (types) => [
  ...owners(),
  ...snapshots(types),
  ...proofs(types),
  ...statistics(types),
  ...misses(types),
  ...marks(types),
  ...planStates(types),
  ...notes(types),
  ...histories(types),
  ...runs(),
  "drop table plan_owners",
];

const OPENER = `(select value from catalog_meta where key = '${OPENER_KEY}')`;

/** Of which host a row is, by its run and plan. */
function ownerOf(row: string, runId = "run_id"): string {
  return `coalesce(
    (select r.host from runs r where r.id = ${row}.${runId}),
    (select o.host from plan_owners o where o.plan = ${row}.plan),
    ${OPENER})`;
}

/** Before the index by plan goes. */
const owners = (): string[] => [
  `create table plan_owners as
    select p.plan as plan, coalesce(
      (select r.host from runs r where r.plan = p.plan
        order by r.started_at_ms desc, r.id desc limit 1),
      ${OPENER}) as host
    from (
      select plan from plan_states
      union select plan from schedule_marks
      union select plan from history_sources
    ) p`,
  "create index plan_owners_by_plan on plan_owners (plan)",
];

/** A table made anew: SQLite changes no key of one that is there. */
function replaced(name: string, columns: string, rows: string): string[] {
  return [
    `create table new_${name} ${columns}`,
    `insert into new_${name} ${rows}`,
    `drop table ${name}`,
    `alter table new_${name} rename to ${name}`,
  ];
}

const snapshots: Migration = ({ integer, text, clustered }) => {
  const rest = `destination, snapshot_id, run_id, plan, source, copied_from, backup_type, at_ms,
    files, size_bytes, added_bytes, stored_bytes, items, outcome, removed_at_ms`;
  return [
    ...replaced(
      "snapshots",
      `(
        host ${text} not null,
        destination ${text} not null,
        snapshot_id ${text} not null,
        run_id ${text} not null,
        plan ${text} not null,
        source ${text} not null,
        copied_from ${text},
        backup_type ${text} not null,
        at_ms ${integer} not null,
        files ${integer} not null,
        size_bytes ${integer} not null,
        added_bytes ${integer} not null,
        stored_bytes ${integer} not null,
        items ${text} not null,
        outcome ${text} not null,
        removed_at_ms ${integer},
        primary key (destination, snapshot_id, host)
      ) ${clustered}`,
      `(host, ${rest}) select ${ownerOf("s")}, ${rest} from snapshots s`,
    ),
    "create index snapshots_by_run on snapshots (run_id, host)",
    "create index snapshots_by_id on snapshots (snapshot_id, host)",
    `create index snapshots_by_source
      on snapshots (host, plan, source, destination, at_ms, snapshot_id)`,
    `create index snapshots_removed on snapshots (host, removed_at_ms)
      where removed_at_ms is not null`,
  ];
};

const proofs: Migration = ({ text }) => [
  `alter table proofs add column host ${text} not null default ''`,
  `update proofs set host = ${ownerOf("proofs")}`,
  "drop index proofs_by_plan",
  "create index proofs_by_plan on proofs (host, plan, at_ms, number)",
];

/** No plan's: they are of whoever has the newest snapshot in a destination of that name. */
const statistics: Migration = ({ integer, text, clustered }) => [
  `create table destination_owners as
    select destination, host from (
      select destination, host,
        row_number() over (partition by destination order by max(at_ms) desc, host) as place
      from snapshots group by destination, host
    ) ranked where place = 1`,
  ...replaced(
    "statistics",
    `(
      host ${text} not null,
      destination ${text} not null,
      at_ms ${integer} not null,
      snapshots ${integer} not null,
      packs ${integer} not null,
      size_bytes ${integer} not null,
      primary key (host, destination, at_ms)
    ) ${clustered}`,
    `(host, destination, at_ms, snapshots, packs, size_bytes)
      select coalesce(o.host, ${OPENER}), s.destination, s.at_ms, s.snapshots, s.packs, s.size_bytes
      from statistics s left join destination_owners o on o.destination = s.destination`,
  ),
  "drop table destination_owners",
];

const misses: Migration = ({ integer, text, clustered }) => {
  const rest = "plan, trigger, scheduled_for_ms, noticed_at_ms, reason, caught_up_by";
  // Few enough of a plan that its key finds them: with another index by host, SQLite would take that.
  return replaced(
    "misses",
    `(
        host ${text} not null,
        plan ${text} not null,
        trigger ${text} not null,
        scheduled_for_ms ${integer} not null,
        noticed_at_ms ${integer} not null,
        reason ${text} not null,
        caught_up_by ${text},
        primary key (host, plan, trigger, scheduled_for_ms)
      ) ${clustered}`,
    `(host, ${rest}) select ${ownerOf("m", "caught_up_by")}, ${rest} from misses m`,
  );
};

/** Each host that ran the plan goes on from the mark: without one, it would not notice a miss. */
const marks: Migration = ({ integer, text, clustered }) =>
  replaced(
    "schedule_marks",
    `(
      host ${text} not null,
      plan ${text} not null,
      trigger ${text} not null,
      at_ms ${integer} not null,
      primary key (host, plan, trigger)
    ) ${clustered}`,
    `(host, plan, trigger, at_ms)
      select o.host, m.plan, m.trigger, m.at_ms from schedule_marks m
      join (select host, plan from runs union select host, plan from plan_owners) o
        on o.plan = m.plan`,
  );

/** What they say is made from the records, once all steps are done. */
const planStates: Migration = ({ integer, text, clustered }) => [
  ...replaced(
    "plan_states",
    `(
      host ${text} not null,
      plan ${text} not null,
      last_run_id ${text},
      last_run ${text},
      last_good_run_id ${text},
      last_good_run ${text},
      is_running ${integer} not null default 0,
      last_proof ${text},
      open_misses ${integer} not null default 0,
      primary key (host, plan)
    ) ${clustered}`,
    `(host, plan)
      select host, plan from runs
      union select host, plan from snapshots
      union select host, plan from proofs
      union select host, plan from misses
      union select o.host, o.plan from plan_owners o join plan_states p on p.plan = o.plan`,
  ),
  "drop table newest_snapshots",
  `create table newest_snapshots (
    host ${text} not null,
    plan ${text} not null,
    source ${text} not null,
    destination ${text} not null,
    record ${text} not null,
    primary key (host, plan, source, destination)
  ) ${clustered}`,
];

/** What a channel remembers has had its host in its name: "notify/HOST/CHANNEL". */
const notes: Migration = ({ text, clustered, positionOf }) => {
  const behind = `substr(key, ${"notify/".length + 1})`;
  return replaced(
    "notes",
    `(
      host ${text} not null,
      key ${text} not null,
      value ${text} not null,
      primary key (host, key)
    ) ${clustered}`,
    `(host, key, value)
      select case when key like 'notify/%/%'
        then substr(${behind}, 1, ${positionOf}(${behind}, '/') - 1)
        else ${OPENER} end, key, value
      from notes`,
  );
};

/** A history is of the host whose snapshot is its newest: the next backup is compared with that. */
const histories: Migration = ({ dialect, text, serial }) => {
  const owner = `coalesce(
    (select s.host from history_snapshots h join snapshots s on s.snapshot_id = h.snapshot_id
      where h.number = (
        select max(number) from history_snapshots
        where source_id = old.id and is_complete = 1)
      order by s.at_ms desc limit 1),
    (select o.host from plan_owners o where o.plan = old.plan),
    ${OPENER})`;
  if (dialect === "sqlite") {
    return replaced(
      "history_sources",
      `(
        id ${serial},
        host ${text} not null,
        plan ${text} not null,
        source ${text} not null,
        unique (host, plan, source)
      )`,
      `(id, host, plan, source)
        select old.id, ${owner}, old.plan, old.source from history_sources old`,
    );
  }
  // The numbers are PostgreSQL's own there, and stay what they are.
  return [
    `alter table history_sources add column host ${text} not null default ''`,
    `update history_sources old set host = ${owner}`,
    "alter table history_sources alter column host drop default",
    "alter table history_sources drop constraint history_sources_plan_source_key",
    "alter table history_sources add unique (host, plan, source)",
  ];
};

const runs = (): string[] => [
  ...["by_plan", "good", "open"].map((name) => `drop index runs_${name}`),
  "create index runs_by_plan on runs (host, plan, started_at_ms, id)",
  "create index runs_by_host on runs (host, started_at_ms, id)",
  `create index runs_good on runs (host, plan, started_at_ms, id)
    where outcome in ('ok', 'warning')`,
  "create index runs_open on runs (host, plan) where ended_at_ms is null",
];
