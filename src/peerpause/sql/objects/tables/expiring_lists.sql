-- The coordinators' monthly lists of certificates that run out soon: that a month's list was made, also where it was empty.
create table peerpause.expiring_lists (
  organisation_id uuid not null references public.organisations (id),
  month date not null,
  id uuid not null default gen_random_uuid(),
  made_at timestamptz not null default clock_timestamp(),
  primary key (organisation_id, month),
  constraint expiring_lists_month_is_its_first_day check (extract(day from month) = 1)
);

comment on table peerpause.expiring_lists is 'One row for each organisation and month whose list was made.';

alter table peerpause.expiring_lists enable row level security;
alter table peerpause.expiring_lists force row level security;
revoke all on table peerpause.expiring_lists from public, anon, authenticated, service_role;
