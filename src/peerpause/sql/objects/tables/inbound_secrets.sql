-- The secret with which an organisation's own system signs certificate updates to us.
create table peerpause.inbound_secrets (
  organisation_id uuid primary key references public.organisations (id),
  secret text not null,
  previous_secret text,
  previous_secret_until timestamptz,
  created_by uuid,
  created_at timestamptz not null default now()
);

comment on table peerpause.inbound_secrets is 'For the service role alone; admins set a new one without ever reading the old.';
comment on column peerpause.inbound_secrets.previous_secret_until is 'Until when the secret before this one is taken too.';

alter table peerpause.inbound_secrets enable row level security;
alter table peerpause.inbound_secrets force row level security;
