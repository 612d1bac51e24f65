create schema comeback;
set search_path to comeback;
create table catalog_meta (key text collate "C" primary key, value text collate "C" not null)
  ;
create table notes (key text collate "C" primary key, value text collate "C" not null)
  ;
create table runs (
  id text collate "C" primary key,
  plan text collate "C" not null,
  host text collate "C" not null,
  trigger text collate "C" not null,
  backup_type text collate "C",
  scheduled_for_ms bigint,
  started_at_ms bigint not null,
  ended_at_ms bigint,
  outcome text collate "C",
  message text collate "C",
  process_id bigint not null
) ;
create index runs_by_plan on runs (plan, started_at_ms, id);
create index runs_by_time on runs (started_at_ms, id);
create index runs_good on runs (plan, started_at_ms, id)
  where outcome in ('ok', 'warning');
create index runs_open on runs (plan) where ended_at_ms is null;
create table stages (
  run_id text collate "C" not null,
  sequence bigint not null,
  stage text collate "C" not null,
  subject text collate "C",
  started_at_ms bigint not null,
  ended_at_ms bigint,
  outcome text collate "C",
  attempts bigint not null,
  message text collate "C",
  error_code text collate "C",
  primary key (run_id, sequence)
) ;
create table log_lines (
  run_id text collate "C" not null,
  sequence bigint not null,
  at_ms bigint not null,
  level text collate "C" not null,
  stage text collate "C",
  subject text collate "C",
  text text collate "C" not null,
  primary key (run_id, sequence)
) ;
create table snapshots (
  destination text collate "C" not null,
  snapshot_id text collate "C" not null,
  run_id text collate "C" not null,
  plan text collate "C" not null,
  source text collate "C" not null,
  copied_from text collate "C",
  backup_type text collate "C" not null,
  at_ms bigint not null,
  files bigint not null,
  size_bytes bigint not null,
  added_bytes bigint not null,
  stored_bytes bigint not null,
  items text collate "C" not null,
  outcome text collate "C" not null,
  removed_at_ms bigint,
  primary key (destination, snapshot_id)
) ;
create index snapshots_by_run on snapshots (run_id);
create index snapshots_by_id on snapshots (snapshot_id);
create index snapshots_by_source on snapshots (plan, source, destination, at_ms, snapshot_id);
create index snapshots_removed on snapshots (removed_at_ms) where removed_at_ms is not null;
create table proofs (
  number bigint generated always as identity primary key,
  run_id text collate "C" not null,
  plan text collate "C" not null,
  destination text collate "C" not null,
  snapshot_id text collate "C",
  kind text collate "C" not null,
  at_ms bigint not null,
  outcome text collate "C" not null,
  message text collate "C" not null
);
create index proofs_by_plan on proofs (plan, at_ms, number);
create table statistics (
  destination text collate "C" not null,
  at_ms bigint not null,
  snapshots bigint not null,
  packs bigint not null,
  size_bytes bigint not null,
  primary key (destination, at_ms)
) ;
create table misses (
  plan text collate "C" not null,
  trigger text collate "C" not null,
  scheduled_for_ms bigint not null,
  noticed_at_ms bigint not null,
  reason text collate "C" not null,
  caught_up_by text collate "C",
  primary key (plan, trigger, scheduled_for_ms)
) ;
create index misses_by_time on misses (scheduled_for_ms);
create index misses_open on misses (plan) where caught_up_by is null;
create table schedule_marks (
  plan text collate "C" not null,
  trigger text collate "C" not null,
  at_ms bigint not null,
  primary key (plan, trigger)
) ;
create table plan_states (
  plan text collate "C" primary key,
  last_run_id text collate "C",
  last_run text collate "C",
  last_good_run_id text collate "C",
  last_good_run text collate "C",
  is_running bigint not null default 0,
  last_proof text collate "C",
  open_misses bigint not null default 0
) ;
create table newest_snapshots (
  plan text collate "C" not null,
  source text collate "C" not null,
  destination text collate "C" not null,
  record text collate "C" not null,
  primary key (plan, source, destination)
) ;
create table audit_entries (
  sequence bigint primary key,
  at_ms bigint not null,
  actor text collate "C" not null,
  action text collate "C" not null,
  subject text collate "C" not null,
  details text collate "C" not null,
  previous_hash text collate "C" not null,
  hash text collate "C" not null
);
create table audit_head (
  id bigint primary key,
  sequence bigint not null,
  hash text collate "C" not null
);
insert into audit_head (id, sequence, hash) values (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
create table history_sources (
  id bigint generated always as identity primary key,
  plan text collate "C" not null,
  source text collate "C" not null,
  unique (plan, source)
);
create table history_snapshots (
  number bigint generated always as identity primary key,
  source_id bigint not null,
  snapshot_id text collate "C" not null,
  at_ms bigint not null,
  is_complete bigint not null,
  unique (source_id, snapshot_id)
);
create table file_versions (
  source_id bigint not null,
  path text collate "C" not null,
  first_number bigint not null,
  last_number bigint,
  size_bytes bigint not null,
  modified_at_ms bigint not null,
  content_hash text collate "C" not null,
  primary key (source_id, path, first_number)
) ;
