-- What an author's launch of new content asks of PostgreSQL: for pgbench.
\set n random(1000000000, 1000000000000)
\set i :n % 5
with found as (
    select tool_content_id, server_id, ext_user, ext_course, ext_section, ext_course_url, ext_tool_content_id,
        define_later, locked_until, run_offline, content_in_use, created_at, updated_at
    from contents where platform_id = 'lams' || :i and signature = 'mdquiz10' and tool_content_id = :n
), made as (
    insert into contents (platform_id, signature, tool_content_id, server_id, ext_user, ext_course,
        ext_section, ext_course_url, define_later, run_offline, content_in_use, created_at, updated_at)
    select 'lams' || :i, 'mdquiz10', :n, 'moodle7', 'teacher', '7', '3', null, false, false, false, now(), now()
    where not exists (select 1 from found)
    on conflict (platform_id, signature, tool_content_id) do nothing
    returning tool_content_id, server_id, ext_user, ext_course, ext_section, ext_course_url, ext_tool_content_id,
        define_later, locked_until, run_offline, content_in_use, created_at, updated_at
)
select * from found union all select * from made;
