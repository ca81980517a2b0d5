-- Nothing: an embedded database has one gateway, which knows what it changes. See the same file of PostgreSQL.
select 1;
