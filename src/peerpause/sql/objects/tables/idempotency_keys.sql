-- The first answer to a request that carried a key: written in the transaction of the change itself, or, where a request over HTTP is
-- more than one change, claimed before it begins.
create table public.idempotency_keys (
  caller uuid not null,
  key text not null,
  organisation_id uuid references public.organisations (id),
  request text not null,
  fingerprint text not null,
  response jsonb,
  created_at timestamptz not null default now(),
  running_until timestamptz,
  primary key (caller, key),
  constraint idempotency_key_is_short check (char_length(key) between 1 and 255)
);

comment on table public.idempotency_keys is 'Same key and same arguments give the first answer again; kept for a day.';
comment on column public.idempotency_keys.caller is 'The signed-in person; the nil uuid for the service role.';
comment on column public.idempotency_keys.request is 'The function that was called, or the method and path of a request over HTTP.';
comment on column public.idempotency_keys.fingerprint is 'SHA-256 of the arguments, so that no note is kept here.';
comment on column public.idempotency_keys.response is 'What the first call answered; null where it found a conflict and changed nothing, or still runs.';
comment on column public.idempotency_keys.organisation_id is 'Null for a request over HTTP, which need not be about one organisation.';
comment on column public.idempotency_keys.running_until is 'For a request over HTTP: until when the process that runs it holds the key.';

create index idempotency_keys_age on public.idempotency_keys (created_at);
create index idempotency_keys_organisation on public.idempotency_keys (organisation_id);

alter table public.idempotency_keys enable row level security;
alter table public.idempotency_keys force row level security;
revoke all on table public.idempotency_keys from public, anon, authenticated, service_role;
