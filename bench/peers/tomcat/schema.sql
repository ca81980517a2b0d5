-- What the servlet reads: 50 servers, 100,000 contents, 200,000 sessions, and who has finished.
-- psql runs it; run again it changes nothing.

set client_min_messages = warning;

create schema if not exists peer;

create table if not exists peer.server (
    server_id text primary key,
    base_url text not null,
    secret text not null
);

create table if not exists peer.content (
    content_id bigint primary key,
    server_id text not null references peer.server,
    course text not null,
    section text not null,
    ext_content_id bigint not null,
    define_later boolean not null
);

create table if not exists peer.session (
    session_id bigint primary key,
    content_id bigint not null references peer.content,
    ext_content_id bigint not null
);

create table if not exists peer.finished (
    session_id bigint not null references peer.session,
    login text not null,
    primary key (session_id, login)
);

insert into peer.server
select 'school' || n, 'https://lms' || n || '.example.org/', 'secret of school ' || n
from generate_series(1, 50) n
on conflict do nothing;

insert into peer.content
select n, 'school' || n % 50 + 1, 'course' || n % 1000, (n % 10)::text, 1000000 + n, false
from generate_series(1, 100000) n
on conflict do nothing;

insert into peer.session
select n, (n - 1) / 2 + 1, 2000000 + n
from generate_series(1, 200000) n
on conflict do nothing;

-- Every other session's learner has finished.
insert into peer.finished
select n, 'mdl_learner' || n % 5000
from generate_series(2, 200000, 2) n
on conflict do nothing;

analyze peer.server, peer.content, peer.session, peer.finished;
