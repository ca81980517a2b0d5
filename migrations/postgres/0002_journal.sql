-- Calls that make something on an external server: written before they are sent, settled after. The key
-- makes each happen once, whoever repeats it, from wherever; an entry that failed frees it.
create table journal (
    id text not null,
    platform_id text not null,
    server_id text not null,
    signature text not null,
    operation text not null,
    local_id bigint not null,
    request text not null,
    payload text not null,
    state text not null,
    owner text not null,
    lease_until timestamptz not null,
    tries bigint not null,
    ext_id text,
    error text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint journal_pk primary key (id)
);
create unique index journal_once on journal (platform_id, signature, operation, local_id) where state <> 'failed';
create index journal_calling on journal (lease_until) where state = 'calling';
create index journal_unsettled on journal (created_at) where state = 'unsettled';
