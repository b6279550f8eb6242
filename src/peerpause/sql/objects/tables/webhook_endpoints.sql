-- Where an organisation's own website wants to hear of changes to its public roster.
create table public.webhook_endpoints (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references public.organisations (id),
  url text not null,
  secret text not null,
  active boolean not null default true,
  created_by uuid,
  created_at timestamptz not null default now(),
  previous_secret text,
  previous_secret_until timestamptz,
  disabled_at timestamptz,
  disabled_because text,
  constraint webhook_endpoints_use_https check (url like 'https://%'),
  constraint webhook_endpoints_disabled_for_a_reason check (
    disabled_because in ('by_admin', 'gone') and (disabled_because is null) = (disabled_at is null)
  )
);

comment on table public.webhook_endpoints is 'Signed webhooks. The secret is for the service role alone; admins manage endpoints without reading it.';
comment on column public.webhook_endpoints.previous_secret_until is 'Until when messages are signed with the secret before this one too.';
comment on column public.webhook_endpoints.disabled_because is 'by_admin, or gone: the website answered 410.';

create index webhook_endpoints_organisation on public.webhook_endpoints (organisation_id);
create unique index webhook_endpoints_in_organisation on public.webhook_endpoints (organisation_id, id);

alter table public.webhook_endpoints enable row level security;
alter table public.webhook_endpoints force row level security;
revoke all on table public.webhook_endpoints from public, anon, authenticated, service_role;
