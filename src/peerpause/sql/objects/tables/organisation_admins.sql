-- Who administers an organisation, and is told where a chapter has no coordinator.
create table public.organisation_admins (
  organisation_id uuid not null references public.organisations (id),
  user_id uuid not null,
  active boolean not null default true,
  primary key (organisation_id, user_id)
);

comment on table public.organisation_admins is 'Who administers an organisation, and is told where a chapter has no coordinator.';
comment on column public.organisation_admins.active is 'False takes every right away at once, whatever the token says.';

create index organisation_admins_user on public.organisation_admins (user_id) where active;

alter table public.organisation_admins enable row level security;
alter table public.organisation_admins force row level security;
revoke all on table public.organisation_admins from public, anon, authenticated, service_role;
