-- What the audit is asked for: one thing, one person, one kind of change, each the newest first.
create index audit_subject on audit (subject, happened_at, id);
create index audit_actor on audit (actor, happened_at, id);
create index audit_action on audit (action, happened_at, id);
