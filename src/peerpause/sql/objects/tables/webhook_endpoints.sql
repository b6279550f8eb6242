-- Where an organisation's own website wants to hear of changes to its public roster.
create table public.webhook_endpoints (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references public.organisations (id),
  url text not null,
  secret text not null,
  active boolean not null default true,
  created_by uuid,
  created_at timestamptz not null default now(),
  constraint webhook_endpoints_use_https check (url like 'https://%')
);

comment on table public.webhook_endpoints is 'Signed webhooks. The secret is for the service role alone; admins manage endpoints without reading it.';

create index webhook_endpoints_organisation on public.webhook_endpoints (organisation_id);

alter table public.webhook_endpoints enable row level security;
alter table public.webhook_endpoints force row level security;
