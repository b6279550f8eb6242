-- How long an organisation keeps what it need not keep for good. Without a row the defaults of the columns hold.
create table peerpause.retention_rules (
  organisation_id uuid primary key references public.organisations (id),
  notes_months integer not null default 24,
  deliveries_days integer not null default 180,
  inbox_days integer not null default 365,
  runs_days integer not null default 730,
  reads_days integer not null default 730,
  changed_at timestamptz not null default clock_timestamp(),
  constraint retention_notes_in_bounds check (notes_months between 1 and 120),
  constraint retention_deliveries_in_bounds check (deliveries_days between 7 and 3650),
  constraint retention_inbox_in_bounds check (inbox_days between 30 and 3650),
  constraint retention_runs_in_bounds check (runs_days between 30 and 3650),
  constraint retention_reads_in_bounds check (reads_days between 90 and 3650)
);

comment on table peerpause.retention_rules is 'How long an organisation keeps notes, deliveries, inbox, runs and the read log. What changed and when is kept for good.';
comment on column peerpause.retention_rules.notes_months is 'Months after the change or renewal; the note of a pause that still lasts stays.';
comment on column peerpause.retention_rules.deliveries_days is 'Days after a delivery was settled; told notices go with them.';
comment on column peerpause.retention_rules.inbox_days is 'Days after an entry came, read or not.';
comment on column peerpause.retention_rules.runs_days is 'Days after a run of a job ended, or an incident was over.';

alter table peerpause.retention_rules enable row level security;
alter table peerpause.retention_rules force row level security;
revoke all on table peerpause.retention_rules from public, anon, authenticated, service_role;
