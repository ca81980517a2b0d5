-- Launches are also looked for by tool and by platform. What else is likely to be asked beside a tool or a server
-- stands in their indexes behind the id: it is checked there, without a look at each launch.
create index launches_platform on launches (platform_id, id);
create index launches_tool on launches (signature, id, server_id, platform_id);
drop index launches_server;
create index launches_server on launches (server_id, id, signature, platform_id);
