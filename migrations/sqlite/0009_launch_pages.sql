-- What the pages about launches and the journal look for. A person who was refused reads a request id to the
-- sysadmin, and the code says for good what the refusal was.
alter table launches add column code text;
create index launches_request on launches (request_id);

-- What is not a plain redirect is rare, and is what is looked for; redirects pay nothing for it.
drop index launches_wrong;
create index launches_not_redirected on launches (outcome, id) where outcome in ('page', 'refused', 'failed');
create index launches_not_redirected_of_server on launches (server_id, outcome, id)
    where outcome in ('page', 'refused', 'failed');

create index journal_failed on journal (updated_at, id) where state = 'failed';
