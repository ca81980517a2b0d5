-- The people who run the gateway. name_key is the name in lower case, as Unicode has it: two names that
-- differ in case alone are one. password_hash is a PHC string of Argon2id.
create table sysadmins (
    id text not null,
    name text not null,
    name_key text not null,
    password_hash text not null,
    created_at timestamptz not null,
    password_changed_at timestamptz not null,
    last_sign_in_at timestamptz,
    constraint sysadmins_pk primary key (id),
    constraint sysadmins_name_unique unique (name_key)
);

-- Their browsers that are signed in. Of a session's id there is only its SHA-256.
create table sysadmin_sessions (
    id text not null,
    id_hash bytea not null,
    sysadmin_id text not null,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    user_agent text not null,
    address text,
    constraint sysadmin_sessions_pk primary key (id),
    constraint sysadmin_sessions_id_hash_unique unique (id_hash),
    constraint sysadmin_sessions_sysadmin_fk foreign key (sysadmin_id) references sysadmins (id) on delete cascade
);
create index sysadmin_sessions_sysadmin on sysadmin_sessions (sysadmin_id);

-- Browsers that signed in before: their tries are counted apart from those of everybody else.
create table sysadmin_devices (
    token_hash bytea not null,
    sysadmin_id text not null,
    last_used_at timestamptz not null,
    constraint sysadmin_devices_pk primary key (token_hash),
    constraint sysadmin_devices_sysadmin_fk foreign key (sysadmin_id) references sysadmins (id) on delete cascade
);
create index sysadmin_devices_sysadmin on sysadmin_devices (sysadmin_id);

-- Failed tries to sign in. The subject is a SHA-256: of a name, whether it exists or not, or of a device.
create table sign_in_tries (
    subject bytea not null,
    failures bigint not null,
    wait_until timestamptz,
    last_at timestamptz not null,
    constraint sign_in_tries_pk primary key (subject)
);
create index sign_in_tries_last on sign_in_tries (last_at);

-- One-time addresses with which the first sysadmin is made; gone as soon as there is one.
create table first_start_tokens (
    token_hash bytea not null,
    expires_at timestamptz not null,
    constraint first_start_tokens_pk primary key (token_hash)
);

-- Who changed what. What was before and after is JSON, its secrets masked.
create table audit (
    id text not null,
    happened_at timestamptz not null,
    actor text not null,
    action text not null,
    subject text not null,
    before_json text,
    after_json text,
    constraint audit_pk primary key (id)
);
create index audit_newest on audit (happened_at, id);
