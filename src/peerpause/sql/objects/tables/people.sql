-- Everyone with an account who is told something: mentors, coordinators, admins.
create table public.people (
  user_id uuid primary key,
  display_name text not null,
  first_name text not null,
  email text,
  language text,
  time_zone text,
  push_enabled boolean not null default true,
  email_preferred boolean not null default false,
  quiet_from time,
  quiet_until time,
  constraint people_language_is_known check (language in ('nb', 'nn', 'en')),
  constraint people_quiet_hours_have_both_ends check ((quiet_from is null) = (quiet_until is null))
);

comment on table public.people is 'Everyone with an account who is told something: mentors, coordinators, admins.';
comment on column public.people.user_id is 'The `sub` of their token.';
comment on column public.people.language is 'Null means the organisation''s.';
comment on column public.people.time_zone is 'For quiet hours; null means the organisation''s.';
comment on column public.people.push_enabled is 'False keeps the inbox entry and sends no push.';
comment on column public.people.email_preferred is 'True sends an e-mail instead of a push.';
comment on column public.people.quiet_from is 'On the person''s own clock; from here until quiet_until nothing is pushed. May span midnight.';

alter table public.people enable row level security;
alter table public.people force row level security;
revoke all on table public.people from public, anon, authenticated, service_role;
