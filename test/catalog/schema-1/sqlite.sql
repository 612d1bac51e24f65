pragma application_id = 1131375970;
create table catalog_meta (key text primary key, value text not null)
  without rowid;
create table notes (key text primary key, value text not null)
  without rowid;
create table runs (
  id text primary key,
  plan text not null,
  host text not null,
  trigger text not null,
  backup_type text,
  scheduled_for_ms integer,
  started_at_ms integer not null,
  ended_at_ms integer,
  outcome text,
  message text,
  process_id integer not null
) without rowid;
create index runs_by_plan on runs (plan, started_at_ms, id);
create index runs_by_time on runs (started_at_ms, id);
create index runs_good on runs (plan, started_at_ms, id)
  where outcome in ('ok', 'warning');
create index runs_open on runs (plan) where ended_at_ms is null;
create table stages (
  run_id text not null,
  sequence integer not null,
  stage text not null,
  subject text,
  started_at_ms integer not null,
  ended_at_ms integer,
  outcome text,
  attempts integer not null,
  message text,
  error_code text,
  primary key (run_id, sequence)
) without rowid;
create table log_lines (
  run_id text not null,
  sequence integer not null,
  at_ms integer not null,
  level text not null,
  stage text,
  subject text,
  text text not null,
  primary key (run_id, sequence)
) without rowid;
create table snapshots (
  destination text not null,
  snapshot_id text not null,
  run_id text not null,
  plan text not null,
  source text not null,
  copied_from text,
  backup_type text not null,
  at_ms integer not null,
  files integer not null,
  size_bytes integer not null,
  added_bytes integer not null,
  stored_bytes integer not null,
  items text not null,
  outcome text not null,
  removed_at_ms integer,
  primary key (destination, snapshot_id)
) without rowid;
create index snapshots_by_run on snapshots (run_id);
create index snapshots_by_id on snapshots (snapshot_id);
create index snapshots_by_source on snapshots (plan, source, destination, at_ms, snapshot_id);
create index snapshots_removed on snapshots (removed_at_ms) where removed_at_ms is not null;
create table proofs (
  number integer primary key autoincrement,
  run_id text not null,
  plan text not null,
  destination text not null,
  snapshot_id text,
  kind text not null,
  at_ms integer not null,
  outcome text not null,
  message text not null
);
create index proofs_by_plan on proofs (plan, at_ms, number);
create table statistics (
  destination text not null,
  at_ms integer not null,
  snapshots integer not null,
  packs integer not null,
  size_bytes integer not null,
  primary key (destination, at_ms)
) without rowid;
create table misses (
  plan text not null,
  trigger text not null,
  scheduled_for_ms integer not null,
  noticed_at_ms integer not null,
  reason text not null,
  caught_up_by text,
  primary key (plan, trigger, scheduled_for_ms)
) without rowid;
create index misses_by_time on misses (scheduled_for_ms);
create index misses_open on misses (plan) where caught_up_by is null;
create table schedule_marks (
  plan text not null,
  trigger text not null,
  at_ms integer not null,
  primary key (plan, trigger)
) without rowid;
create table plan_states (
  plan text primary key,
  last_run_id text,
  last_run text,
  last_good_run_id text,
  last_good_run text,
  is_running integer not null default 0,
  last_proof text,
  open_misses integer not null default 0
) without rowid;
create table newest_snapshots (
  plan text not null,
  source text not null,
  destination text not null,
  record text not null,
  primary key (plan, source, destination)
) without rowid;
create table audit_entries (
  sequence integer primary key,
  at_ms integer not null,
  actor text not null,
  action text not null,
  subject text not null,
  details text not null,
  previous_hash text not null,
  hash text not null
);
create table audit_head (
  id integer primary key,
  sequence integer not null,
  hash text not null
);
insert into audit_head (id, sequence, hash) values (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
create table history_sources (
  id integer primary key autoincrement,
  plan text not null,
  source text not null,
  unique (plan, source)
);
create table history_snapshots (
  number integer primary key autoincrement,
  source_id integer not null,
  snapshot_id text not null,
  at_ms integer not null,
  is_complete integer not null,
  unique (source_id, snapshot_id)
);
create table file_versions (
  source_id integer not null,
  path text not null,
  first_number integer not null,
  last_number integer,
  size_bytes integer not null,
  modified_at_ms integer not null,
  content_hash text not null,
  primary key (source_id, path, first_number)
) without rowid;
