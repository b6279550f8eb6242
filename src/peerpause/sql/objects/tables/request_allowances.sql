-- How much each caller has left of what they may ask for in a minute, shared by all processes of the API. Unlogged: after a crash of
-- the server everybody begins anew, and counting costs no write-ahead log.
create unlogged table peerpause.request_allowances (
  scope text not null,
  subject text not null,
  remaining double precision not null,
  counted_at timestamptz not null,
  primary key (scope, subject)
);

comment on table peerpause.request_allowances is 'A bucket of permissions for each caller and kind of request, refilled evenly.';
comment on column peerpause.request_allowances.scope is 'The kind of request: changes, sign-ins.';
comment on column peerpause.request_allowances.subject is 'SHA-256 of who asks: a person''s id, a client''s address.';
comment on column peerpause.request_allowances.remaining is 'Permissions left at counted_at; below zero where several processes used the last ones at once.';

create index request_allowances_age on peerpause.request_allowances (counted_at);

alter table peerpause.request_allowances enable row level security;
alter table peerpause.request_allowances force row level security;
revoke all on table peerpause.request_allowances from public, anon, authenticated, service_role;
