-- An organisation's own words for the reasons of a change, by language. Where it has none, ours stand.
create table public.reason_labels (
  organisation_id uuid not null references public.organisations (id),
  reason text not null,
  language text not null,
  label text not null,
  primary key (organisation_id, reason, language),
  constraint reason_labels_reason_is_known check (reason = any(peerpause.reason_codes())),
  constraint reason_labels_language_is_known check (language in ('nb', 'nn', 'en')),
  constraint reason_labels_are_short check (btrim(label) <> '' and char_length(label) <= 100)
);

comment on table public.reason_labels is 'An organisation''s own words for the reasons of a change. The codes stay; only what people read differs.';

alter table public.reason_labels enable row level security;
alter table public.reason_labels force row level security;
revoke all on table public.reason_labels from public, anon, authenticated, service_role;
