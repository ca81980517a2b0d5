-- What a callback asks of PostgreSQL: for pgbench.
\set n random(1, 99999)
\set i :n % 5
\set nonce random(1, 9223372036854775806)
with saved as (
    update contents set ext_tool_content_id = '' || :n, define_later = false, locked_until = null, updated_at = now()
    where platform_id = 'lams' || :i and signature = 'mdquiz10' and tool_content_id = :n
        and not exists (select 1 from used_states where nonce = decode(lpad(to_hex(:nonce::bigint), 24, '0'), 'hex'))
    returning server_id
), used as (
    insert into used_states (nonce, ext_tool_content_id, expires_at)
    select decode(lpad(to_hex(:nonce::bigint), 24, '0'), 'hex'), '' || :n, now() + interval '1 day' from saved
)
select server_id from saved;
