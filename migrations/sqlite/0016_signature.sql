-- How requests to a server are signed: 1, by the legacy SHA-1 of LAMS's protocol, or 2, by HMAC-SHA-256.
alter table servers add column signature bigint not null default 1;
