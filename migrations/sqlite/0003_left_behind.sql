-- What was forgotten here and still stands on an external server, for the operator to clear there.
create table left_behind (
    id text not null,
    platform_id text not null,
    server_id text not null,
    signature text not null,
    ext_id text not null,
    why text not null,
    created_at datetime not null,
    constraint left_behind_pk primary key (id)
);
create index left_behind_created on left_behind (created_at);
