-- One row for every (change of a public roster, endpoint): what must reach which website, and how that went.
create table public.webhook_deliveries (
  organisation_id uuid not null,
  id uuid not null default peerpause.time_ordered_uuid(),
  endpoint_id uuid not null,
  event_id uuid not null,
  chapter_id uuid not null,
  mentor_id uuid not null,
  change text not null,
  found_at timestamptz not null default clock_timestamp(),
  state text not null default 'pending',
  error_code text,
  attempts integer not null default 0,
  not_before timestamptz not null default clock_timestamp(),
  first_tried_at timestamptz,
  tried_at timestamptz,
  settled_at timestamptz,
  primary key (organisation_id, id),
  constraint webhook_deliveries_endpoint foreign key (organisation_id, endpoint_id)
    references public.webhook_endpoints (organisation_id, id),
  constraint webhook_deliveries_change_is_known check (change in ('listed', 'unlisted', 'edited')),
  constraint webhook_deliveries_state_is_known check (state in ('pending', 'sent', 'failed', 'expired')),
  constraint webhook_deliveries_are_settled_with_a_time check ((state = 'pending') = (settled_at is null))
);

comment on table public.webhook_deliveries is 'The delivery log of webhooks, and the work list of their sender. Never holds a name or a secret.';
comment on column public.webhook_deliveries.event_id is 'The webhook-id: the same for every endpoint and every try, so that a receiver can tell repetitions.';
comment on column public.webhook_deliveries.state is
  'sent: the website took it; failed: will never work; expired: given up after a day of tries.';
comment on column public.webhook_deliveries.not_before is
  'When it is due. A sender that takes it moves this on, and if the sender dies it is due again.';

create unique index webhook_deliveries_once on public.webhook_deliveries (event_id, endpoint_id);
create index webhook_deliveries_due on public.webhook_deliveries (endpoint_id, not_before) where state = 'pending';
create index webhook_deliveries_endpoint_idx on public.webhook_deliveries (organisation_id, endpoint_id, found_at desc);
create index webhook_deliveries_age on public.webhook_deliveries (settled_at) where state <> 'pending';

alter table public.webhook_deliveries enable row level security;
alter table public.webhook_deliveries force row level security;
revoke all on table public.webhook_deliveries from public, anon, authenticated, service_role;
