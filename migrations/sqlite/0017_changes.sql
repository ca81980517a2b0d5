-- What launches keep in memory of sessions and contents is written down when it changes, by whoever changes it: whose
-- it is, its tool and its number, with "s " before a session's and "c " before a content's. Gateways read on from
-- where they were; what all have read is deleted again. PostgreSQL tells the same by notifications.
create table told_changes (
    id integer not null,
    what text not null,
    constraint told_changes_pk primary key (id autoincrement)
);
create trigger contents_told after update on contents
    when (old.server_id, old.ext_user, old.ext_course, old.ext_section, old.ext_course_url, old.define_later,
            old.locked_until, old.run_offline)
        is not (new.server_id, new.ext_user, new.ext_course, new.ext_section, new.ext_course_url, new.define_later,
            new.locked_until, new.run_offline)
begin
    insert into told_changes (what) values
        ('c ' || old.platform_id || ' ' || old.signature || ' ' || old.tool_content_id);
end;
create trigger contents_deletion_told after delete on contents
begin
    insert into told_changes (what) values
        ('c ' || old.platform_id || ' ' || old.signature || ' ' || old.tool_content_id);
end;
create trigger sessions_told after update on sessions
begin
    insert into told_changes (what) values
        ('s ' || old.platform_id || ' ' || old.signature || ' ' || old.tool_session_id);
end;
create trigger sessions_deletion_told after delete on sessions
begin
    insert into told_changes (what) values
        ('s ' || old.platform_id || ' ' || old.signature || ' ' || old.tool_session_id);
end;
create trigger session_users_insertion_told after insert on session_users when new.finished_at is not null
begin
    insert into told_changes (what) values
        ('s ' || new.platform_id || ' ' || new.signature || ' ' || new.tool_session_id);
end;
create trigger session_users_told after update on session_users when old.finished_at is not new.finished_at
begin
    insert into told_changes (what) values
        ('s ' || old.platform_id || ' ' || old.signature || ' ' || old.tool_session_id);
end;
create trigger session_users_deletion_told after delete on session_users when old.finished_at is not null
begin
    insert into told_changes (what) values
        ('s ' || old.platform_id || ' ' || old.signature || ' ' || old.tool_session_id);
end;
