-- A private room for our own machinery. Clients call functions in `public`; nothing here is exposed by PostgREST.
create schema peerpause;
comment on schema peerpause is 'PeerPause: the work behind the functions in public. Not exposed to clients.';
