-- Records of many launches at once, packed, until they are filed into the tables that are searched. The id is that
-- of the first launch. The first byte of the body says what form it is of.
create table launch_batches (
    id bigint not null,
    launches bigint not null,
    body blob not null,
    constraint launch_batches_pk primary key (id)
);
