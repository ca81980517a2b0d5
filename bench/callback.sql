-- What a callback asks of PostgreSQL: for pgbench.
\set n random(1, 99999)
\set i :n % 5
begin;
insert into used_states (nonce, ext_tool_content_id, expires_at)
    values (decode(md5(random()::text || :n), 'hex'), '' || :n, now() + interval '1 day') on conflict (nonce) do nothing;
update contents set ext_tool_content_id = '' || :n, define_later = false, locked_until = null, updated_at = now()
    where platform_id = 'lams' || :i and signature = 'mdquiz10' and tool_content_id = :n returning server_id;
delete from used_states where expires_at < now();
commit;
