-- Who coordinates which chapters: they are told of changes and may make them.
create table public.coordinator_roles (
  organisation_id uuid not null,
  chapter_id uuid not null,
  user_id uuid not null,
  active boolean not null default true,
  primary key (chapter_id, user_id),
  constraint coordinator_roles_chapter foreign key (organisation_id, chapter_id) references public.chapters (organisation_id, id)
);

comment on table public.coordinator_roles is 'Who coordinates which chapters: they are told of changes and may make them.';
comment on column public.coordinator_roles.active is 'False takes every right away at once, whatever the token says.';

create index coordinator_roles_user on public.coordinator_roles (user_id) where active;
create index coordinator_roles_organisation on public.coordinator_roles (organisation_id, chapter_id);

alter table public.coordinator_roles enable row level security;
alter table public.coordinator_roles force row level security;
revoke all on table public.coordinator_roles from public, anon, authenticated, service_role;
