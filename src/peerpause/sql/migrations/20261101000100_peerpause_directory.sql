-- The directory: organisations, their chapters, the people in them, and who answers for whom.
--
-- Installs beside an existing app: a table that is there already keeps its rows, columns, indexes and policies. What was there
-- before us is written down first (peerpause.adopted_columns), so that the rollback drops only what this migration added.

-- 1. A private room for our own machinery. Clients call functions in `public`; nothing here is exposed by PostgREST.
create schema peerpause;
comment on schema peerpause is 'PeerPause: the work behind the functions in public. Not exposed to clients.';

-- 2. What was here before us.
create table peerpause.adopted_columns (
  table_name text not null,
  column_name text not null,
  row_security boolean not null,
  force_row_security boolean not null,
  primary key (table_name, column_name)
);
comment on table peerpause.adopted_columns is
  'Columns that stood in the directory tables before PeerPause came. Rollbacks leave them, and the row security they had, alone.';

insert into peerpause.adopted_columns (table_name, column_name, row_security, force_row_security)
select c.relname, a.attname, c.relrowsecurity, c.relforcerowsecurity
from pg_catalog.pg_class as c
inner join pg_catalog.pg_attribute as a
  on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where
  c.relnamespace = 'public'::regnamespace
  and c.relkind in ('r', 'p')
  and c.relname in (
    'organisations', 'chapters', 'people', 'peer_mentors', 'chapter_memberships',
    'coordinator_roles', 'organisation_admins', 'certifications', 'device_tokens'
  );

-- 3. Our functions act as their owner and must not be stopped by the policies they enforce for others.
do $$
begin
  if not exists (
    select from pg_catalog.pg_roles as r
    where r.rolname = current_user and (r.rolsuper or r.rolbypassrls)
  ) then
    raise exception 'the role % that applies the migrations must have BYPASSRLS', current_user
      using
        errcode = '42501',
        hint = format('As a superuser: alter role %I bypassrls;  then apply the migrations again.', current_user);
  end if;
end
$$;

-- 4. The tables, each only where it is missing.
create table if not exists public.organisations (
  id uuid primary key default gen_random_uuid(),
  name text not null
);

create table if not exists public.chapters (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references public.organisations (id),
  name text not null
);

create table if not exists public.people (
  user_id uuid primary key,
  display_name text not null,
  first_name text not null,
  email text
);

create table if not exists public.peer_mentors (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null references public.organisations (id),
  user_id uuid,
  display_name text not null,
  first_name text not null
);

create table if not exists public.chapter_memberships (
  organisation_id uuid not null,
  chapter_id uuid not null,
  mentor_id uuid not null,
  primary key (chapter_id, mentor_id)
);

create table if not exists public.coordinator_roles (
  organisation_id uuid not null,
  chapter_id uuid not null,
  user_id uuid not null,
  active boolean not null default true,
  primary key (chapter_id, user_id)
);

create table if not exists public.organisation_admins (
  organisation_id uuid not null references public.organisations (id),
  user_id uuid not null,
  active boolean not null default true,
  primary key (organisation_id, user_id)
);

create table if not exists public.certifications (
  id uuid primary key default gen_random_uuid(),
  organisation_id uuid not null,
  mentor_id uuid not null,
  kind text not null default 'peer_mentor',
  issued_on date not null,
  expires_on date
);

create table if not exists public.device_tokens (
  token text primary key,
  user_id uuid not null,
  platform text not null
);

create table peerpause.global_admins (
  user_id uuid primary key,
  granted_at timestamptz not null default now()
);

-- 5. A table that was here before must have what the rest of PeerPause leans on. All gaps are named at once.
do $$
declare
  v_missing text;
begin
  select string_agg(format('%s.%s %s', n.table_name, n.column_name, n.type_name), ', ' order by n.table_name, n.column_name)
  into v_missing
  from (
    values
    ('organisations', 'id', 'uuid'), ('organisations', 'name', 'text'),
    ('chapters', 'id', 'uuid'), ('chapters', 'organisation_id', 'uuid'), ('chapters', 'name', 'text'),
    ('people', 'user_id', 'uuid'), ('people', 'display_name', 'text'), ('people', 'first_name', 'text'), ('people', 'email', 'text'),
    ('peer_mentors', 'id', 'uuid'), ('peer_mentors', 'organisation_id', 'uuid'), ('peer_mentors', 'user_id', 'uuid'),
    ('peer_mentors', 'display_name', 'text'), ('peer_mentors', 'first_name', 'text'),
    ('chapter_memberships', 'organisation_id', 'uuid'), ('chapter_memberships', 'chapter_id', 'uuid'),
    ('chapter_memberships', 'mentor_id', 'uuid'),
    ('coordinator_roles', 'organisation_id', 'uuid'), ('coordinator_roles', 'chapter_id', 'uuid'),
    ('coordinator_roles', 'user_id', 'uuid'), ('coordinator_roles', 'active', 'bool'),
    ('organisation_admins', 'organisation_id', 'uuid'), ('organisation_admins', 'user_id', 'uuid'),
    ('organisation_admins', 'active', 'bool'),
    ('certifications', 'id', 'uuid'), ('certifications', 'organisation_id', 'uuid'), ('certifications', 'mentor_id', 'uuid'),
    ('certifications', 'kind', 'text'), ('certifications', 'issued_on', 'date'), ('certifications', 'expires_on', 'date'),
    ('device_tokens', 'token', 'text'), ('device_tokens', 'user_id', 'uuid'), ('device_tokens', 'platform', 'text')
  ) as n (table_name, column_name, type_name)
  where not exists (
    select from pg_catalog.pg_attribute as a
    inner join pg_catalog.pg_type as t on t.oid = a.atttypid
    where
      a.attrelid = to_regclass('public.' || n.table_name)
      and a.attname = n.column_name
      and not a.attisdropped
      and (t.typname = n.type_name or (n.type_name = 'text' and t.typname in ('varchar', 'citext')))
  );
  if v_missing is not null then
    raise exception 'existing tables lack columns that PeerPause needs: %', v_missing
      using
        errcode = '42703',
        hint = 'Add them to your tables (a column that others rely on may be a generated one), then apply the migrations again. Nothing was changed.';
  end if;
end
$$;

-- 6. What PeerPause adds to them: nullable or with a constant default, so no row is rewritten.
alter table public.organisations
  add column if not exists external_id text,
  add column if not exists time_zone text not null default 'Europe/Oslo',
  add column if not exists language text not null default 'nb',
  add column if not exists role_word text,
  add column if not exists required_certification_kinds text[] not null default '{}',
  add column if not exists push_detail text not null default 'first_name';

alter table public.chapters
  add column if not exists external_id text;

alter table public.people
  add column if not exists language text,
  add column if not exists time_zone text,
  add column if not exists push_enabled boolean not null default true,
  add column if not exists email_preferred boolean not null default false,
  add column if not exists quiet_from time,
  add column if not exists quiet_until time;

alter table public.peer_mentors
  add column if not exists external_id text,
  add column if not exists predecessor_id uuid,
  add column if not exists listed boolean not null default true,
  add column if not exists languages text[] not null default '{}',
  add column if not exists presentation text,
  add column if not exists public_contact text;

alter table public.certifications
  add column if not exists recorded_by uuid,
  add column if not exists recorded_at timestamptz not null default now();

alter table public.device_tokens
  add column if not exists kind text not null default 'token',
  add column if not exists registered_at timestamptz not null default now(),
  add column if not exists last_seen_at timestamptz not null default now(),
  add column if not exists retired_at timestamptz,
  add column if not exists retired_because text;

-- 7. The truths these tables must not be able to break. Checked for new rows at once; old rows are validated right after.
alter table public.organisations
  add constraint organisations_push_detail_is_known check (push_detail in ('first_name', 'minimal')) not valid,
  add constraint organisations_language_is_known check (language in ('nb', 'nn', 'en')) not valid;
alter table public.organisations validate constraint organisations_push_detail_is_known;
alter table public.organisations validate constraint organisations_language_is_known;

alter table public.people
  add constraint people_language_is_known check (language in ('nb', 'nn', 'en')) not valid,
  add constraint people_quiet_hours_have_both_ends check ((quiet_from is null) = (quiet_until is null)) not valid;
alter table public.people validate constraint people_language_is_known;
alter table public.people validate constraint people_quiet_hours_have_both_ends;

alter table public.certifications
  add constraint certifications_expire_after_issue check (expires_on >= issued_on) not valid;
alter table public.certifications validate constraint certifications_expire_after_issue;

alter table public.device_tokens
  add constraint device_tokens_kind_is_known check (kind in ('token', 'fid')) not valid,
  add constraint device_tokens_platform_is_known check (platform in ('android', 'ios', 'web')) not valid;
alter table public.device_tokens validate constraint device_tokens_kind_is_known;
alter table public.device_tokens validate constraint device_tokens_platform_is_known;

-- 8. Keys that let other rows point at (organisation, thing), so that nothing can point into another organisation.
create unique index chapters_in_organisation on public.chapters (organisation_id, id);
create unique index peer_mentors_in_organisation on public.peer_mentors (organisation_id, id);
create unique index organisations_external_id on public.organisations (external_id);
create unique index chapters_external_id on public.chapters (organisation_id, external_id);
create unique index peer_mentors_external_id on public.peer_mentors (organisation_id, external_id);

alter table public.chapter_memberships
  add constraint chapter_memberships_chapter foreign key (organisation_id, chapter_id)
  references public.chapters (organisation_id, id) not valid,
  add constraint chapter_memberships_mentor foreign key (organisation_id, mentor_id)
  references public.peer_mentors (organisation_id, id) not valid;
alter table public.chapter_memberships validate constraint chapter_memberships_chapter;
alter table public.chapter_memberships validate constraint chapter_memberships_mentor;

alter table public.coordinator_roles
  add constraint coordinator_roles_chapter foreign key (organisation_id, chapter_id)
  references public.chapters (organisation_id, id) not valid;
alter table public.coordinator_roles validate constraint coordinator_roles_chapter;

alter table public.certifications
  add constraint certifications_mentor foreign key (organisation_id, mentor_id)
  references public.peer_mentors (organisation_id, id) not valid;
alter table public.certifications validate constraint certifications_mentor;

alter table public.peer_mentors
  add constraint peer_mentors_predecessor foreign key (organisation_id, predecessor_id)
  references public.peer_mentors (organisation_id, id) not valid;
alter table public.peer_mentors validate constraint peer_mentors_predecessor;

-- 9. The ways in: by person, by mentor, by chapter.
create index peer_mentors_user on public.peer_mentors (user_id);
create index peer_mentors_predecessor_idx on public.peer_mentors (organisation_id, predecessor_id) where predecessor_id is not null;
create index chapter_memberships_mentor_idx on public.chapter_memberships (mentor_id, chapter_id);
create index chapter_memberships_organisation on public.chapter_memberships (organisation_id, chapter_id);
create index chapter_memberships_organisation_mentor on public.chapter_memberships (organisation_id, mentor_id);
create index coordinator_roles_user on public.coordinator_roles (user_id) where active;
create index coordinator_roles_organisation on public.coordinator_roles (organisation_id, chapter_id);
create index organisation_admins_user on public.organisation_admins (user_id) where active;
create index certifications_mentor_idx on public.certifications (mentor_id, kind, expires_on desc);
create index certifications_organisation on public.certifications (organisation_id, mentor_id);
create index device_tokens_user on public.device_tokens (user_id) where retired_at is null;
