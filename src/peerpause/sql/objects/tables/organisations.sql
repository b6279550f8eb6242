-- Whoever runs a peer mentor programme.
create table public.organisations (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  external_id text,
  time_zone text not null default 'Europe/Oslo',
  language text not null default 'nb',
  role_word text,
  required_certification_kinds text[] not null default '{}',
  push_detail text not null default 'first_name',
  reminder_days integer[] not null default '{60,30,7}',
  return_reminder_days integer[] not null default '{7,2,0}',
  auto_return boolean not null default false,
  role_word_plural text,
  constraint organisations_push_detail_is_known check (push_detail in ('first_name', 'minimal')),
  constraint organisations_language_is_known check (language in ('nb', 'nn', 'en')),
  constraint organisations_reminders_are_days check (
    array_position(reminder_days, null) is null
    and 0 <= all(reminder_days)
    and 365 >= all(reminder_days)
    and array_position(return_reminder_days, null) is null
    and 0 <= all(return_reminder_days)
    and 365 >= all(return_reminder_days)
  )
);

comment on table public.organisations is 'Whoever runs a peer mentor programme; everything else belongs to exactly one of them.';
comment on column public.organisations.external_id is 'The id in the organisation''s own member system, by which imports find the row again.';
comment on column public.organisations.time_zone is 'Where its calendar days begin and end: IANA name.';
comment on column public.organisations.language is 'What its people are written to in, unless they chose for themselves.';
comment on column public.organisations.role_word is 'Its own word for a peer mentor; null means the usual one of the language.';
comment on column public.organisations.role_word_plural is 'The same word for several of them; null means role_word as it is.';
comment on column public.organisations.required_certification_kinds is 'A mentor needs a valid certificate of each of these; empty means none.';
comment on column public.organisations.push_detail is 'What may leave for the push service: first_name, or minimal for no name at all.';
comment on column public.organisations.reminder_days is 'So many days before a certificate runs out its mentor is reminded.';
comment on column public.organisations.return_reminder_days is 'So many days before the expected return a paused mentor is reminded.';
comment on column public.organisations.auto_return is 'Whether a pause ends by itself on its return date; never past an expired certificate.';

create unique index organisations_external_id on public.organisations (external_id);

alter table public.organisations enable row level security;
alter table public.organisations force row level security;
revoke all on table public.organisations from public, anon, authenticated, service_role;
