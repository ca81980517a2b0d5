-- How many launches each tool had in each hour (hours since 1970). An id of a launch is its time in
-- microseconds, times 1024.
create table launch_tools (
    hour bigint not null,
    signature text not null,
    outcome text not null,
    launches bigint not null,
    constraint launch_tools_pk primary key (hour, signature, outcome)
);
insert into launch_tools (hour, signature, outcome, launches)
    select id / 3686400000000, signature, outcome, count(*) from launches
    group by id / 3686400000000, signature, outcome;
