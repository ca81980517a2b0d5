-- What a large school's gateway has stored: CONTENTS contents and twice as many sessions, on PLATFORMS platforms and
-- SERVERS servers, which are there before. Understood by both databases.
with recursive numbers(i) as (select 1 union all select i + 1 from numbers where i < CONTENTS)
insert into contents (platform_id, signature, tool_content_id, server_id, ext_user, ext_course, ext_section,
    ext_tool_content_id, define_later, run_offline, content_in_use, created_at, updated_at)
select 'lams' || (i % PLATFORMS), 'mdquiz10', i, 'moodle' || (i % SERVERS), 'teacher' || (i % 1000),
    '' || (i % 5000), '' || (i % 10), '' || (1000000 + i), false, false, true,
    '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00'
from numbers;

with recursive numbers(i) as (select 1 union all select i + 1 from numbers where i < 2 * CONTENTS)
insert into sessions (platform_id, signature, tool_session_id, tool_content_id, name, ext_session_id, created_at)
select 'lams' || ((i % CONTENTS + 1) % PLATFORMS), 'mdquiz10', i, i % CONTENTS + 1, 'Group ' || i,
    '' || (2000000 + i), '2026-01-01T00:00:00+00:00'
from numbers;
