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
  constraint organisations_push_detail_is_known check (push_detail in ('first_name', 'minimal')),
  constraint organisations_language_is_known check (language in ('nb', 'nn', 'en'))
);

comment on table public.organisations is 'Whoever runs a peer mentor programme; everything else belongs to exactly one of them.';
comment on column public.organisations.external_id is 'The id in the organisation''s own member system, by which imports find the row again.';
comment on column public.organisations.time_zone is 'Where its calendar days begin and end: IANA name.';
comment on column public.organisations.language is 'What its people are written to in, unless they chose for themselves.';
comment on column public.organisations.role_word is 'Its own word for a peer mentor; null means the usual one of the language.';
comment on column public.organisations.required_certification_kinds is 'A mentor needs a valid certificate of each of these; empty means none.';
comment on column public.organisations.push_detail is 'What may leave for the push service: first_name, or minimal for no name at all.';

create unique index organisations_external_id on public.organisations (external_id);

alter table public.organisations enable row level security;
alter table public.organisations force row level security;
revoke all on table public.organisations from public, anon, authenticated, service_role;
