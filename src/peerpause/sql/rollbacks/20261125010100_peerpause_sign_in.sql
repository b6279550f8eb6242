-- Takes back what the twin of the same name added. Who is whom at which provider has to be linked anew.
drop function peerpause.link_sign_in(text, text, text);
drop table peerpause.sign_in_attempts;
drop table peerpause.sign_in_identities;
