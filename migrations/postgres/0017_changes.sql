-- What launches keep in memory of sessions and contents is told to all instances when it changes: whose it is,
-- its tool and its number, with "s " before a session's and "c " before a content's. Sent when the change is
-- committed, and only then. A new session, a new content or a new external id of content is no change: nobody has
-- anything of it in memory.
create function toolgate_tell_content() returns trigger language plpgsql as $$
begin
    perform pg_notify('toolgate_changes', 'c ' || old.platform_id || ' ' || old.signature || ' ' || old.tool_content_id);
    return null;
end
$$;
create trigger contents_told after update on contents for each row
    when (row(old.server_id, old.ext_user, old.ext_course, old.ext_section, old.ext_course_url, old.define_later,
            old.locked_until, old.run_offline)
        is distinct from row(new.server_id, new.ext_user, new.ext_course, new.ext_section, new.ext_course_url,
            new.define_later, new.locked_until, new.run_offline))
    execute function toolgate_tell_content();
create trigger contents_deletion_told after delete on contents for each row
    execute function toolgate_tell_content();

create function toolgate_tell_session() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        perform pg_notify('toolgate_changes',
            's ' || new.platform_id || ' ' || new.signature || ' ' || new.tool_session_id);
    else
        perform pg_notify('toolgate_changes',
            's ' || old.platform_id || ' ' || old.signature || ' ' || old.tool_session_id);
    end if;
    return null;
end
$$;
create trigger sessions_told after update or delete on sessions for each row
    execute function toolgate_tell_session();
create trigger session_users_insertion_told after insert on session_users for each row
    when (new.finished_at is not null)
    execute function toolgate_tell_session();
create trigger session_users_told after update on session_users for each row
    when (old.finished_at is distinct from new.finished_at)
    execute function toolgate_tell_session();
create trigger session_users_deletion_told after delete on session_users for each row
    when (old.finished_at is not null)
    execute function toolgate_tell_session();
