-- Takes back what the twin of the same name added. Everybody is signed out of the web pages.
drop function peerpause.is_in_directory(uuid);
drop table peerpause.web_sessions;
