-- What admins changed in their organisation: its settings and who coordinates which chapter.
create table public.organisation_changes (
  organisation_id uuid not null references public.organisations (id),
  id uuid not null default peerpause.time_ordered_uuid(),
  kind text not null,
  chapter_id uuid,
  person_id uuid,
  before jsonb,
  after jsonb,
  changed_by uuid,
  changed_at timestamptz not null default clock_timestamp(),
  primary key (organisation_id, id),
  constraint organisation_changes_kind_is_known check (kind in ('settings', 'coordinator_given', 'coordinator_taken')),
  constraint organisation_changes_say_what check (
    (kind = 'settings') = (before is not null and after is not null)
    and (kind <> 'settings') = (chapter_id is not null and person_id is not null)
  ),
  constraint organisation_changes_chapter foreign key (organisation_id, chapter_id) references public.chapters (organisation_id, id)
);

comment on table public.organisation_changes is 'What admins changed in their organisation. Written by functions alone; nobody has the right to change or remove a row.';
comment on column public.organisation_changes.before is 'The settings that were changed, as they were; nothing else.';
comment on column public.organisation_changes.after is 'The same settings as they are since.';
comment on column public.organisation_changes.person_id is 'Who became a coordinator, or is one no longer.';
comment on column public.organisation_changes.changed_by is 'Null for the system.';

create index organisation_changes_latest on public.organisation_changes (organisation_id, changed_at desc, id desc);
create index organisation_changes_chapter_idx on public.organisation_changes (organisation_id, chapter_id) where chapter_id is not null;

alter table public.organisation_changes enable row level security;
alter table public.organisation_changes force row level security;
revoke all on table public.organisation_changes from public, anon, authenticated, service_role;
