-- What a call that imports sends, in parts, until it is settled: an operator may have to send it again.
create table journal_files (
    entry_id text not null,
    part bigint not null,
    bytes blob not null,
    constraint journal_files_pk primary key (entry_id, part),
    constraint journal_files_entry_fk foreign key (entry_id) references journal (id) on delete cascade
);
create index journal_ended on journal (updated_at) where state = 'failed';

-- In whose name something left behind can be deleted, as JSON.
alter table left_behind add column place text;
