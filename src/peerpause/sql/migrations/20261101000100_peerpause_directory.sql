-- The directory: organisations, their chapters, the people in them, and who answers for whom.
--
-- Installs beside an existing app: a table that is there already keeps its rows, columns, indexes and policies. What was there
-- before us is written down first (peerpause.adopted_*), so that the rollback drops only what this migration added.

-- 1. A private room for our own machinery. Clients call functions in `public`; nothing here is exposed by PostgREST.
create schema peerpause;
comment on schema peerpause is 'PeerPause: the work behind the functions in public. Not exposed to clients.';

-- 2. What was here before us.
create table peerpause.adopted_tables (
  table_name text not null,
  row_security boolean not null,
  force_row_security boolean not null,
  primary key (table_name)
);
comment on table peerpause.adopted_tables is 'Directory tables that stood here before PeerPause came, with the row security they had.';

create table peerpause.adopted_columns (
  table_name text not null references peerpause.adopted_tables (table_name),
  column_name text not null,
  primary key (table_name, column_name)
);
comment on table peerpause.adopted_columns is 'The columns those tables had. Rollbacks leave them alone.';

create table peerpause.adopted_grants (
  table_name text not null references peerpause.adopted_tables (table_name),
  column_name text not null,
  grantee text not null,
  privilege text not null,
  primary key (table_name, column_name, grantee, privilege)
);
comment on table peerpause.adopted_grants is 'Who was allowed what on those tables. Rollbacks take back only what is not in here.';
comment on column peerpause.adopted_grants.column_name is 'Empty for a grant on the whole table.';
comment on column peerpause.adopted_grants.grantee is 'A role, or public for everyone.';

revoke all on all tables in schema peerpause from public, anon, authenticated, service_role;

insert into peerpause.adopted_tables (table_name, row_security, force_row_security)
select c.relname, c.relrowsecurity, c.relforcerowsecurity
from pg_catalog.pg_class as c
where
  c.relnamespace = 'public'::regnamespace
  and c.relname in (
    'organisations', 'chapters', 'people', 'peer_mentors', 'chapter_memberships',
    'coordinator_roles', 'organisation_admins', 'certifications', 'device_tokens'
  );

insert into peerpause.adopted_columns (table_name, column_name)
select t.table_name, a.attname
from peerpause.adopted_tables as t
inner join pg_catalog.pg_class as c on c.relnamespace = 'public'::regnamespace and c.relname = t.table_name
inner join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped;

insert into peerpause.adopted_grants (table_name, column_name, grantee, privilege)
select distinct t.table_name, g.column_name, coalesce(r.rolname, 'public'), g.privilege_type
from peerpause.adopted_tables as t
inner join pg_catalog.pg_class as c on c.relnamespace = 'public'::regnamespace and c.relname = t.table_name
cross join lateral (
  select '' as column_name, x.grantee, x.privilege_type
  from aclexplode(c.relacl) as x
  union all
  select a.attname, x.grantee, x.privilege_type
  from pg_catalog.pg_attribute as a
  cross join lateral aclexplode(a.attacl) as x
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
) as g
left join pg_catalog.pg_roles as r on r.oid = g.grantee
where r.oid is not null or g.grantee = 0;

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

-- 4. Whether PeerPause fits in here. Every obstacle is named at once, and before anything is changed: names that something else
-- has taken, columns that the rest of PeerPause leans on, columns that mean something else here, keys that must be unique.
do $$
declare
  v_obstacles text;
begin
  with expected (table_name, column_name, type_name, is_needed, is_never_null) as (
    values
    ('organisations', 'id', 'uuid', true, true),
    ('organisations', 'name', 'text', true, false),
    ('organisations', 'external_id', 'text', false, false),
    ('organisations', 'time_zone', 'text', false, true),
    ('organisations', 'language', 'text', false, false),
    ('organisations', 'role_word', 'text', false, false),
    ('organisations', 'required_certification_kinds', 'text[]', false, true),
    ('organisations', 'push_detail', 'text', false, false),
    ('chapters', 'id', 'uuid', true, true),
    ('chapters', 'organisation_id', 'uuid', true, true),
    ('chapters', 'name', 'text', true, false),
    ('chapters', 'external_id', 'text', false, false),
    ('people', 'user_id', 'uuid', true, true),
    ('people', 'display_name', 'text', true, false),
    ('people', 'first_name', 'text', true, false),
    ('people', 'email', 'text', true, false),
    ('people', 'language', 'text', false, false),
    ('people', 'time_zone', 'text', false, false),
    ('people', 'push_enabled', 'boolean', false, false),
    ('people', 'email_preferred', 'boolean', false, false),
    ('people', 'quiet_from', 'time', false, false),
    ('people', 'quiet_until', 'time', false, false),
    ('peer_mentors', 'id', 'uuid', true, true),
    ('peer_mentors', 'organisation_id', 'uuid', true, true),
    ('peer_mentors', 'user_id', 'uuid', true, false),
    ('peer_mentors', 'display_name', 'text', true, false),
    ('peer_mentors', 'first_name', 'text', true, false),
    ('peer_mentors', 'external_id', 'text', false, false),
    ('peer_mentors', 'predecessor_id', 'uuid', false, false),
    ('peer_mentors', 'listed', 'boolean', false, false),
    ('peer_mentors', 'languages', 'text[]', false, false),
    ('peer_mentors', 'presentation', 'text', false, false),
    ('peer_mentors', 'public_contact', 'text', false, false),
    ('peer_mentors', 'updated_at', 'timestamptz', false, false),
    ('chapter_memberships', 'organisation_id', 'uuid', true, true),
    ('chapter_memberships', 'chapter_id', 'uuid', true, true),
    ('chapter_memberships', 'mentor_id', 'uuid', true, true),
    ('coordinator_roles', 'organisation_id', 'uuid', true, true),
    ('coordinator_roles', 'chapter_id', 'uuid', true, true),
    ('coordinator_roles', 'user_id', 'uuid', true, true),
    ('coordinator_roles', 'active', 'boolean', true, false),
    ('organisation_admins', 'organisation_id', 'uuid', true, true),
    ('organisation_admins', 'user_id', 'uuid', true, true),
    ('organisation_admins', 'active', 'boolean', true, false),
    ('certifications', 'id', 'uuid', true, true),
    ('certifications', 'organisation_id', 'uuid', true, true),
    ('certifications', 'mentor_id', 'uuid', true, true),
    ('certifications', 'kind', 'text', true, true),
    ('certifications', 'issued_on', 'date', true, true),
    ('certifications', 'expires_on', 'date', true, false),
    ('certifications', 'recorded_by', 'uuid', false, false),
    ('certifications', 'recorded_at', 'timestamptz', false, false),
    ('device_tokens', 'token', 'text', true, true),
    ('device_tokens', 'user_id', 'uuid', true, true),
    ('device_tokens', 'platform', 'text', true, false),
    ('device_tokens', 'kind', 'text', false, false),
    ('device_tokens', 'registered_at', 'timestamptz', false, false),
    ('device_tokens', 'last_seen_at', 'timestamptz', false, false),
    ('device_tokens', 'retired_at', 'timestamptz', false, false),
    ('device_tokens', 'retired_because', 'text', false, false)
  ),
  unique_keys (table_name, column_names) as (
    values
    ('organisations', '{id}'::text[]),
    ('chapters', '{id}'),
    ('people', '{user_id}'),
    ('peer_mentors', '{id}'),
    ('chapter_memberships', '{chapter_id,mentor_id}'),
    ('coordinator_roles', '{chapter_id,user_id}'),
    ('organisation_admins', '{organisation_id,user_id}'),
    ('device_tokens', '{token}')
  ),
  adopted as (
    select t.table_name, c.oid, c.relkind
    from peerpause.adopted_tables as t
    inner join pg_catalog.pg_class as c on c.relnamespace = 'public'::regnamespace and c.relname = t.table_name
  ),
  wanted as (
    select
      e.table_name || '.' || e.column_name as name, e.type_name, e.is_needed, e.is_never_null,
      a.attnum, a.atttypid, a.attnotnull, y.typname
    from expected as e
    inner join adopted as d on d.table_name = e.table_name and d.relkind in ('r', 'p')
    left join pg_catalog.pg_attribute as a on a.attrelid = d.oid and a.attname = e.column_name and not a.attisdropped
    left join pg_catalog.pg_type as y on y.oid = a.atttypid
  ),
  obstacles (place, what) as (
    select 1, format('public.%s is not a table', d.table_name)
    from adopted as d
    where d.relkind not in ('r', 'p')
    union all
    select 2, format('public.%s exists already', c.relname)
    from pg_catalog.pg_class as c
    where
      c.relnamespace = 'public'::regnamespace
      and c.relname in (
        'peer_mentor_status_history', 'scheduled_status_changes', 'idempotency_keys', 'job_runs', 'certification_overrides',
        'notification_deliveries', 'notifications', 'webhook_endpoints', 'peer_mentor_status', 'mentor_status_history'
      )
    union all
    select 2, 'the type public.mentor_status exists already'
    where to_regtype('public.mentor_status') is not null
    union all
    select 3, format('peer_mentors.%s (%s) exists already', a.attname, format_type(a.atttypid, a.atttypmod))
    from adopted as d
    inner join pg_catalog.pg_attribute as a on a.attrelid = d.oid and not a.attisdropped
    where
      d.table_name = 'peer_mentors'
      and a.attname in ('status', 'pause_at', 'pause_reason', 'pause_note', 'expected_return_on', 'reactivated_at')
    union all
    select 4, format('%s (%s) is missing', w.name, w.type_name)
    from wanted as w
    where w.is_needed and w.attnum is null
    union all
    select 5, format('%s is %s, not %s', w.name, format_type(w.atttypid, null), w.type_name)
    from wanted as w
    where
      w.atttypid <> to_regtype(w.type_name)
      and not (w.type_name = 'text' and w.typname in ('varchar', 'citext'))
    union all
    select 6, format('%s may be null', w.name)
    from wanted as w
    where w.is_never_null and not w.attnotnull
    union all
    select 7, format('%s has no unique key on (%s)', k.table_name, array_to_string(k.column_names, ', '))
    from unique_keys as k
    inner join adopted as d on d.table_name = k.table_name and d.relkind in ('r', 'p')
    where not exists (
      select from pg_catalog.pg_index as i
      where
        i.indrelid = d.oid
        and i.indisunique
        and i.indisvalid
        and i.indimmediate
        and i.indpred is null
        and i.indexprs is null
        and k.column_names = (
          select array_agg(a.attname::text order by a.attname)
          from pg_catalog.pg_attribute as a
          where a.attrelid = d.oid and a.attnum = any((i.indkey::smallint[])[0:i.indnkeyatts - 1])
        )
    )
  )
  select string_agg(o.what, '; ' order by o.place, o.what)
  into v_obstacles
  from obstacles as o;
  if v_obstacles is not null then
    raise exception 'PeerPause does not fit in beside what is here: %', v_obstacles
      using
        errcode = '42P16',
        hint = 'Nothing was changed. Adapt your tables (a column that others rely on may be a generated one), or give what is in '
          || 'the way another name, then apply the migrations again.';
  end if;
end
$$;

-- 5. The tables, each only where it is missing.
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

-- New tables are closed to begin with; older Supabase projects open them to every client by default. Tables of the app stay as open
-- as they are.
revoke all on table peerpause.global_admins from public, anon, authenticated, service_role;

do $$
declare
  v_table text;
begin
  foreach v_table in array array[
    'organisations', 'chapters', 'people', 'peer_mentors', 'chapter_memberships',
    'coordinator_roles', 'organisation_admins', 'certifications', 'device_tokens'
  ] loop
    if not exists (select from peerpause.adopted_tables as t where t.table_name = v_table) then
      execute format('revoke all on table public.%I from public, anon, authenticated, service_role', v_table);
    end if;
  end loop;
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

-- 7. The truths these tables must not be able to break. New rows are held to them at once; the next migration looks at the old ones,
-- when this one's locks are gone.
alter table public.organisations
  add constraint organisations_push_detail_is_known check (push_detail in ('first_name', 'minimal')) not valid,
  add constraint organisations_language_is_known check (language in ('nb', 'nn', 'en')) not valid;

alter table public.people
  add constraint people_language_is_known check (language in ('nb', 'nn', 'en')) not valid,
  add constraint people_quiet_hours_have_both_ends check ((quiet_from is null) = (quiet_until is null)) not valid;

alter table public.certifications
  add constraint certifications_expire_after_issue check (expires_on >= issued_on) not valid;

alter table public.device_tokens
  add constraint device_tokens_kind_is_known check (kind in ('token', 'fid')) not valid,
  add constraint device_tokens_platform_is_known check (platform in ('android', 'ios', 'web')) not valid;

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

alter table public.coordinator_roles
  add constraint coordinator_roles_chapter foreign key (organisation_id, chapter_id)
  references public.chapters (organisation_id, id) not valid;

alter table public.certifications
  add constraint certifications_mentor foreign key (organisation_id, mentor_id)
  references public.peer_mentors (organisation_id, id) not valid;

alter table public.peer_mentors
  add constraint peer_mentors_predecessor foreign key (organisation_id, predecessor_id)
  references public.peer_mentors (organisation_id, id) not valid;

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

-- 10. What the columns mean, where the name does not say it. An app's own comments stay.
do $$
declare
  v_meaning record;
begin
  for v_meaning in
    select m.table_name, m.column_name, m.meaning
    from (
      values
      ('organisations', '', 'Whoever runs a peer mentor programme; everything else belongs to exactly one of them.'),
      ('organisations', 'external_id', 'The id in the organisation''s own member system, by which imports find the row again.'),
      ('organisations', 'time_zone', 'Where its calendar days begin and end: IANA name.'),
      ('organisations', 'language', 'What its people are written to in, unless they chose for themselves.'),
      ('organisations', 'role_word', 'Its own word for a peer mentor; null means the usual one of the language.'),
      ('organisations', 'required_certification_kinds', 'A mentor needs a valid certificate of each of these; empty means none.'),
      ('organisations', 'push_detail', 'What may leave for the push service: first_name, or minimal for no name at all.'),
      ('chapters', '', 'Local chapters of an organisation.'),
      ('chapters', 'external_id', 'The id in the organisation''s own member system, by which imports find the row again.'),
      ('people', '', 'Everyone with an account who is told something: mentors, coordinators, admins.'),
      ('people', 'user_id', 'The `sub` of their token.'),
      ('people', 'language', 'Null means the organisation''s.'),
      ('people', 'time_zone', 'For quiet hours; null means the organisation''s.'),
      ('people', 'push_enabled', 'False keeps the inbox entry and sends no push.'),
      ('people', 'email_preferred', 'True sends an e-mail instead of a push.'),
      ('people', 'quiet_from', 'On the person''s own clock; from here until quiet_until nothing is pushed. May span midnight.'),
      ('peer_mentors', '', 'One row for each person and organisation they serve; a mentor who comes back after leaving gets a new one.'),
      ('peer_mentors', 'user_id', 'The `sub` of the mentor''s token; null for a mentor without an account.'),
      ('peer_mentors', 'external_id', 'The id in the organisation''s own member system, by which imports find the row again.'),
      ('peer_mentors', 'predecessor_id', 'The row of the same person before they left.'),
      ('peer_mentors', 'listed', 'False keeps the mentor off the public roster by their own wish.'),
      ('peer_mentors', 'presentation', 'What the public roster says of the mentor.'),
      ('peer_mentors', 'public_contact', 'How the public reaches the mentor.'),
      ('chapter_memberships', '', 'Which mentors serve which chapters; a mentor may serve several.'),
      ('coordinator_roles', '', 'Who coordinates which chapters: they are told of changes and may make them.'),
      ('coordinator_roles', 'active', 'False takes every right away at once, whatever the token says.'),
      ('organisation_admins', '', 'Who administers an organisation, and is told where a chapter has no coordinator.'),
      ('organisation_admins', 'active', 'False takes every right away at once, whatever the token says.'),
      ('certifications', '', 'Certificates, past and present: a renewal is a new row.'),
      ('certifications', 'kind', 'Matched with organisations.required_certification_kinds.'),
      ('certifications', 'expires_on', 'The last valid day, in the organisation''s time zone; null for a certificate without an end.'),
      ('certifications', 'recorded_by', 'Null where a system recorded it.'),
      ('device_tokens', '', 'Devices that get pushes. One owner a token; never logged.'),
      ('device_tokens', 'kind', 'token: FCM registration token; fid: Firebase installation id.'),
      ('device_tokens', 'retired_at', 'Since when the push service says that the token is dead.')
    ) as m (table_name, column_name, meaning)
  loop
    if v_meaning.column_name <> '' then
      if not exists (
        select from peerpause.adopted_columns as a
        where a.table_name = v_meaning.table_name and a.column_name = v_meaning.column_name
      ) then
        execute format('comment on column public.%I.%I is %L', v_meaning.table_name, v_meaning.column_name, v_meaning.meaning);
      end if;
    elsif not exists (select from peerpause.adopted_tables as t where t.table_name = v_meaning.table_name) then
      execute format('comment on table public.%I is %L', v_meaning.table_name, v_meaning.meaning);
    end if;
  end loop;
end
$$;

comment on table peerpause.global_admins is 'Who administers every organisation. Filled by hand, by the database''s owner.';
