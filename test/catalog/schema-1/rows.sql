-- What two hosts, web1 and web2, have written into one catalog with equal names of plans. The plan
-- orphan has no runs any more, and of the run "gone" nothing is left but what it made.
insert into catalog_meta values ('schema-version', '1');
insert into runs values
  ('r1', 'shop', 'web1', 'schedule', 'incremental', 10, 11, 12, 'ok', null, 1),
  ('r2', 'shop', 'web2', 'schedule', 'full', 20, 21, 22, 'failed', 'it''s away', 2),
  ('r3', 'mail', 'web2', 'manual', null, null, 31, null, null, null, 3);
insert into stages values ('r1', 0, 'copy', 'nas', 11, 12, 'ok', 1, null, null);
insert into log_lines values ('r2', 0, 21, 'error', 'capture', 'content', 'line');
insert into snapshots values
  ('nas', 's1', 'r1', 'shop', 'content', null, 'incremental', 11, 1, 2, 3, 4, '[]', 'ok', null),
  ('nas', 's2', 'r2', 'shop', 'content', null, 'full', 21, 1, 2, 3, 4, '[]', 'warning', null),
  ('nas', 's3', 'gone', 'mail', 'db', null, 'full', 9, 1, 2, 3, 4, '[]', 'ok', null),
  ('cloud', 's4', 'gone', 'orphan', 'x', 's9', 'full', 9, 1, 2, 3, 4,
    '[{"kind":"path","name":"/srv","sizeBytes":1}]', 'ok', null),
  ('nas', 's5', 'r1', 'shop', 'content', null, 'full', 12, 1, 2, 3, 4, '[]', 'ok', 50);
insert into proofs (run_id, plan, destination, snapshot_id, kind, at_ms, outcome, message) values
  ('r1', 'shop', 'nas', 's1', 'restore-test', 5, 'ok', 'of web1'),
  ('gone', 'mail', 'nas', null, 'check', 6, 'ok', 'of web2');
insert into statistics values ('nas', 1, 3, 2, 1), ('nas', 2, 3, 2, 1), ('unused', 1, 1, 1, 1);
insert into misses values
  ('shop', 'daily', 10, 11, 'down', 'r1'),
  ('shop', 'daily', 12, 13, 'late', null),
  ('mail', 'daily', 10, 11, 'down', null);
insert into schedule_marks values ('shop', 'daily', 5), ('mail', 'daily', 6), ('orphan', 'daily', 7);
insert into plan_states (plan, last_run_id, last_run, is_running, open_misses) values
  ('shop', 'r2', '{}', 0, 1), ('mail', 'r3', '{}', 1, 1), ('orphan', null, null, 0, 0);
insert into newest_snapshots values
  ('shop', 'content', 'nas', '{}'), ('mail', 'db', 'nas', '{}'), ('orphan', 'x', 'cloud', '{}');
insert into audit_entries values
  (1, 1, 'root@web1', 'run.start', 'shop', '{"a":1}', '0000000000000000000000000000000000000000000000000000000000000000',
    '326f71a5a4bf0b6de1ab222873e9fa27ef8f91c94650b785d9f6bed6994e899a');
update audit_head set sequence = 1, hash = '326f71a5a4bf0b6de1ab222873e9fa27ef8f91c94650b785d9f6bed6994e899a';
insert into notes values
  ('tidied', '1'), ('notify/web2/ops', '{}'), ('notify/gone.example/ops', '{}');
insert into history_sources (plan, source) values ('shop', 'content'), ('mail', 'db'), ('orphan', 'x');
insert into history_snapshots (source_id, snapshot_id, at_ms, is_complete) values
  (1, 's1', 11, 1), (1, 's2', 21, 1), (1, 's6', 22, 0), (3, 's4', 9, 1);
insert into file_versions values
  (1, '/a', 1, 1, 10, 1, 'first'), (1, '/a', 2, null, 20, 2, 'second'), (3, '/x', 4, null, 1, 1, 'x');
