-- By how many minutes the time of a LoginRequest may be off; nothing: as the settings say. And where its clocks
-- stand: a name of the time zone database.
alter table servers add column login_window_minutes bigint;
alter table servers add column time_zone text;
-- Which customCSV counts: accepted, or remembered.
alter table platforms add column custom_csv text not null default 'accepted';

-- Who came into a platform by a checked LoginRequest: one row each. Keys are lower-case, since neither LAMS nor
-- its servers regard the case of a login.
create table login_users (
    platform_id text not null,
    server_id text not null,
    ext_login_key text not null,
    ext_login text not null,
    lams_login_key text not null,
    lams_login text not null,
    first_seen_at datetime not null,
    last_seen_at datetime not null,
    last_method text not null,
    last_course text,
    last_carried text not null,
    constraint login_users_pk primary key (platform_id, server_id, ext_login_key)
);
create index login_users_login on login_users (platform_id, lams_login_key, last_seen_at);
create index login_users_seen on login_users (last_seen_at, ext_login_key);

create table login_courses (
    platform_id text not null,
    server_id text not null,
    course text not null,
    name text,
    first_seen_at datetime not null,
    last_seen_at datetime not null,
    constraint login_courses_pk primary key (platform_id, server_id, course)
);

-- The last customCSV that somebody's LoginRequest carried.
create table remembered_csv (
    platform_id text not null,
    lams_login_key text not null,
    server_id text not null,
    custom_csv text not null,
    remembered_at datetime not null,
    constraint remembered_csv_pk primary key (platform_id, lams_login_key, server_id)
);
create index remembered_csv_at on remembered_csv (remembered_at);

-- The customCSV that a launch used in place of one in its address, and from when it is.
alter table launches add column remembered_csv text;
alter table launches add column remembered_at datetime;
