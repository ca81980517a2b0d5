-- Launches are also looked for by tool and by platform; ids grow, so that each costs little to keep.
create index launches_tool on launches (signature, id);
create index launches_platform on launches (platform_id, id);
