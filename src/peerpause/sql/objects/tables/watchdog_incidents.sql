-- What the watchdog found wrong, from the first time it saw it until it was gone. Admins are told at both ends, once.
create table public.watchdog_incidents (
  organisation_id uuid not null references public.organisations (id),
  id uuid not null default peerpause.time_ordered_uuid(),
  code text not null,
  facts jsonb not null default '{}'::jsonb,
  opened_at timestamptz not null default clock_timestamp(),
  cleared_at timestamptz,
  primary key (organisation_id, id),
  constraint incidents_code_is_known check (
    code in ('expired_but_active', 'run_missing', 'run_failed', 'run_stuck', 'outbox_stuck')
  )
);

comment on table public.watchdog_incidents is 'Broken promises of the certificate check, organisation by organisation.';
comment on column public.watchdog_incidents.facts is 'What was seen when it was opened: counts and ids.';

create unique index incidents_open on public.watchdog_incidents (organisation_id, code) where cleared_at is null;

alter table public.watchdog_incidents enable row level security;
alter table public.watchdog_incidents force row level security;
revoke all on table public.watchdog_incidents from public, anon, authenticated, service_role;
