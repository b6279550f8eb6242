-- Who administers every organisation. Filled by hand, by the database's owner.
create table peerpause.global_admins (
  user_id uuid primary key,
  granted_at timestamptz not null default now()
);

comment on table peerpause.global_admins is 'Who administers every organisation. Filled by hand, by the database''s owner.';

alter table peerpause.global_admins enable row level security;
alter table peerpause.global_admins force row level security;
revoke all on table peerpause.global_admins from public, anon, authenticated, service_role;
