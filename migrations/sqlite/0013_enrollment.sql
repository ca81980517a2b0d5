-- How enrollments of an external LMS are reached: one connection a server, in the order in which links are
-- tried. api_token and client_secret are sealed by the vault; extras are the keys of Joanie's form that nothing
-- here uses, as JSON.
create table lms_connections (
    server_id text not null,
    position bigint not null,
    backend text not null,
    base_url text not null,
    selector_regex text not null,
    course_regex text,
    api_token blob,
    client_id text,
    client_secret blob,
    auto_enroll boolean not null,
    timeout_ms bigint,
    role_id bigint,
    user_auth text,
    create_users boolean not null,
    grades_api text not null,
    extras text,
    constraint lms_connections_pk primary key (server_id),
    constraint lms_connections_server_fk foreign key (server_id) references servers (id) on delete cascade
);

-- Lists of enrollments that are worked through in the background, by one instance at a time. Without a platform
-- where the list came from a shell.
create table bulk_enrollments (
    id text not null,
    platform_id text,
    state text not null,
    dry_run boolean not null,
    total bigint not null,
    owner text,
    lease_until datetime,
    created_at datetime not null,
    updated_at datetime not null,
    constraint bulk_enrollments_pk primary key (id),
    constraint bulk_enrollments_platform_fk foreign key (platform_id) references platforms (id) on delete cascade
);
create index bulk_enrollments_open on bulk_enrollments (created_at) where state <> 'done';

-- Their rows, each with what was asked and, once it is settled, what came of it.
create table bulk_enrollment_rows (
    bulk_id text not null,
    number bigint not null,
    request text not null,
    state text not null,
    tries bigint not null,
    result text,
    constraint bulk_enrollment_rows_pk primary key (bulk_id, number),
    constraint bulk_enrollment_rows_bulk_fk foreign key (bulk_id) references bulk_enrollments (id) on delete cascade
);
create index bulk_enrollment_rows_waiting on bulk_enrollment_rows (bulk_id, number) where state = 'waiting';
