-- Local chapters of an organisation.
create table public.chapters (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references public.organisations (id),
  name text not null,
  external_id text
);

comment on table public.chapters is 'Local chapters of an organisation.';
comment on column public.chapters.external_id is 'The id in the organisation''s own member system, by which imports find the row again.';

create unique index chapters_in_organisation on public.chapters (organisation_id, id);
create unique index chapters_external_id on public.chapters (organisation_id, external_id);

alter table public.chapters enable row level security;
alter table public.chapters force row level security;
revoke all on table public.chapters from public, anon, authenticated, service_role;
