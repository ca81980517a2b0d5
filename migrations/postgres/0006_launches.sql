-- What happened: every launch, callback and return. An id is its time (microseconds since 1970, times 1024)
-- and a number of its instance, so that the newest are the last of the primary key.
create table launches (
    id bigint not null,
    at timestamptz not null,
    kind text not null,
    request_id text not null,
    platform_id text not null,
    signature text not null,
    server_id text,
    user_name text,
    tool_content_id bigint,
    tool_session_id bigint,
    outcome text not null,
    status bigint not null,
    ms double precision not null,
    came_with text not null,
    sent_to text,
    reason text,
    constraint launches_pk primary key (id)
);
create index launches_user on launches (user_name, id);
create index launches_server on launches (server_id, id);
create index launches_content on launches (tool_content_id, id) where tool_content_id is not null;
create index launches_session on launches (tool_session_id, id) where tool_session_id is not null;
create index launches_wrong on launches (outcome, id) where outcome in ('refused', 'failed');

-- Every call to an external server that is about content or a session, with ids of the same form.
create table outgoing_calls (
    id bigint not null,
    at timestamptz not null,
    platform_id text not null,
    signature text not null,
    tool_content_id bigint,
    tool_session_id bigint,
    server_id text not null,
    method text not null,
    outcome text not null,
    reason text,
    ms double precision not null,
    constraint outgoing_calls_pk primary key (id)
);
create index outgoing_calls_content on outgoing_calls (tool_content_id, id) where tool_content_id is not null;
create index outgoing_calls_session on outgoing_calls (tool_session_id, id) where tool_session_id is not null;

-- How many launches there were in each hour (hours since 1970), for charts.
create table launch_hours (
    hour bigint not null,
    server_id text not null,
    outcome text not null,
    launches bigint not null,
    constraint launch_hours_pk primary key (hour, server_id, outcome)
);
