-- The organisations whose public rosters are watched for their webhooks, and when each was last looked at.
create table peerpause.roster_watches (
  organisation_id uuid primary key references public.organisations (id),
  looked_at timestamptz not null default clock_timestamp()
);

comment on table peerpause.roster_watches is 'Whoever looks locks the row, so that each change is found once.';

alter table peerpause.roster_watches enable row level security;
alter table peerpause.roster_watches force row level security;
