-- When a server last answered a call, whichever instance made it.
create index outgoing_calls_ok on outgoing_calls (server_id, id) where outcome = 'ok';
