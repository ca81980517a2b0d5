-- Whether something on an external server is still used here is asked when what used it is removed.
create index contents_ext on contents (signature, ext_tool_content_id) where ext_tool_content_id is not null;
create index sessions_ext on sessions (signature, ext_session_id);
