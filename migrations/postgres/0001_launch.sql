-- What the gateway stores for launches. The folder migrations/sqlite holds the same tables; a test
-- compares them.

-- One row: rises with every change of configuration, so that running gateways notice it.
create table configuration_version (
    id bigint not null,
    version bigint not null,
    constraint configuration_version_pk primary key (id),
    constraint configuration_version_single check (id = 1)
);
insert into configuration_version (id, version) values (1, 1);

-- LAMS instances. launch_secret is sealed by the vault; of the API token there is only its SHA-256.
create table platforms (
    id text not null,
    name text not null,
    url text not null,
    launch_auth text not null,
    launch_secret bytea,
    callback_state text not null,
    api_token_hash bytea,
    finish_url text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint platforms_pk primary key (id),
    constraint platforms_api_token_unique unique (api_token_hash)
);

-- Integrated external LMSs. server_key is sealed by the vault.
create table servers (
    id text not null,
    name text not null,
    url text not null,
    server_key bytea,
    prefix text,
    enabled boolean not null,
    sign_redirects boolean not null,
    timeout_ms bigint,
    private_network boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint servers_pk primary key (id),
    constraint servers_prefix_unique unique (prefix)
);

-- Which tools a server is shown for. Built-in tools have no row of their own, hence no reference.
create table server_tools (
    server_id text not null,
    signature text not null,
    constraint server_tools_pk primary key (server_id, signature),
    constraint server_tools_server_fk foreign key (server_id) references servers (id) on delete cascade
);

-- A tool's own configuration on a server.
create table tool_settings (
    server_id text not null,
    signature text not null,
    name text not null,
    value text not null,
    constraint tool_settings_pk primary key (server_id, signature, name),
    constraint tool_settings_server_fk foreign key (server_id) references servers (id) on delete cascade
);

-- Tools beyond the built-in ones, as the TOML text of their definitions.
create table tools (
    signature text not null,
    definition text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint tools_pk primary key (signature)
);

-- What authors saved. Server, user, course, section and course_url are those of the first customCSV.
create table contents (
    platform_id text not null,
    signature text not null,
    tool_content_id bigint not null,
    server_id text not null,
    ext_user text not null,
    ext_course text not null,
    ext_section text,
    ext_course_url text,
    ext_tool_content_id text,
    define_later boolean not null,
    locked_until timestamptz,
    run_offline boolean not null,
    content_in_use boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint contents_pk primary key (platform_id, signature, tool_content_id),
    constraint contents_platform_fk foreign key (platform_id) references platforms (id),
    constraint contents_server_fk foreign key (server_id) references servers (id)
);
create index contents_server on contents (server_id);

-- The run-time copies for groups.
create table sessions (
    platform_id text not null,
    signature text not null,
    tool_session_id bigint not null,
    tool_content_id bigint not null,
    name text not null,
    ext_session_id text not null,
    created_at timestamptz not null,
    constraint sessions_pk primary key (platform_id, signature, tool_session_id),
    constraint sessions_content_fk foreign key (platform_id, signature, tool_content_id)
        references contents (platform_id, signature, tool_content_id)
);
create index sessions_content on sessions (platform_id, signature, tool_content_id);

-- Who opened and who finished a session, by LAMS login.
create table session_users (
    platform_id text not null,
    signature text not null,
    tool_session_id bigint not null,
    name text not null,
    opened_at timestamptz,
    finished_at timestamptz,
    constraint session_users_pk primary key (platform_id, signature, tool_session_id, name),
    constraint session_users_session_fk foreign key (platform_id, signature, tool_session_id)
        references sessions (platform_id, signature, tool_session_id) on delete cascade
);

-- State tokens of callbacks that were stored, until they expire.
create table used_states (
    nonce bytea not null,
    ext_tool_content_id text not null,
    expires_at timestamptz not null,
    constraint used_states_pk primary key (nonce)
);
create index used_states_expires on used_states (expires_at);
