-- Which mentors serve which chapters; a mentor may serve several.
create table public.chapter_memberships (
  organisation_id uuid not null,
  chapter_id uuid not null,
  mentor_id uuid not null,
  primary key (chapter_id, mentor_id),
  constraint chapter_memberships_chapter foreign key (organisation_id, chapter_id) references public.chapters (organisation_id, id),
  constraint chapter_memberships_mentor foreign key (organisation_id, mentor_id) references public.peer_mentors (organisation_id, id)
);

comment on table public.chapter_memberships is 'Which mentors serve which chapters; a mentor may serve several.';

create index chapter_memberships_mentor_idx on public.chapter_memberships (mentor_id, chapter_id);
create index chapter_memberships_organisation on public.chapter_memberships (organisation_id, chapter_id);
create index chapter_memberships_organisation_mentor on public.chapter_memberships (organisation_id, mentor_id);

alter table public.chapter_memberships enable row level security;
alter table public.chapter_memberships force row level security;
revoke all on table public.chapter_memberships from public, anon, authenticated, service_role;
