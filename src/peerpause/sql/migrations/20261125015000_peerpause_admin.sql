-- What admins of an organisation do on their pages: settings, coordinators, deliveries; and the record of what they changed.

-- 1. The record.
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

-- Read by the organisation's admins; written by functions.
create policy "admins see what was changed in their organisation"
on public.organisation_changes for select to authenticated
using (organisation_id = any((select peerpause.my_organisations())::uuid[]));

grant select on public.organisation_changes to authenticated, service_role;

-- 2. What they do.
-- An organisation's settings as one object, as far as the reader may see the organisation; null for one they may not.
create function peerpause.organisation_settings(p_organisation_id uuid)
returns jsonb
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select
      jsonb_build_object(
        'role_word', o.role_word,
        'role_word_plural', o.role_word_plural,
        'language', o.language,
        'time_zone', o.time_zone,
        'required_certification_kinds', to_jsonb(o.required_certification_kinds),
        'push_detail', o.push_detail,
        'reminder_days', to_jsonb(o.reminder_days),
        'return_reminder_days', to_jsonb(o.return_reminder_days),
        'auto_return', o.auto_return,
        'reason_labels', (
          select coalesce(jsonb_object_agg(r.reason, r.labels), '{}')
          from (
            select l.reason, jsonb_object_agg(l.language, l.label) as labels
            from public.reason_labels as l
            where l.organisation_id = o.id
            group by l.reason
          ) as r
        )
      )
    from public.organisations as o
    where o.id = p_organisation_id
  );
end
$$;

-- The latest change of an organisation's settings: what somebody hands back who read them, to be refused if they moved on.
create function peerpause.latest_settings_change(p_organisation_id uuid)
returns uuid
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select c.id
    from public.organisation_changes as c
    where c.organisation_id = p_organisation_id and c.kind = 'settings'
    order by c.changed_at desc, c.id desc
    limit 1
  );
end
$$;

-- Changes settings of an organisation, for its admins, and records what they were and what they are.
--
-- p_settings holds the settings to change, by the names of peerpause.organisation_settings; others stay. reason_labels replaces all
-- labels. p_seen_change is the latest change the caller has seen (null: none). Answers that change's successor and the settings;
-- no row where somebody else was faster: then nothing was changed. Changing nothing leaves no record.
-- Refuses: 42501 not yours; 22023 a name or a value that is none. Locks: the organisation's row.
create function peerpause.change_organisation_settings(p_organisation_id uuid, p_settings jsonb, p_seen_change uuid)
returns table (change_id uuid, settings jsonb)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_before jsonb;
  v_after jsonb;
  v_change_id uuid;
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  perform peerpause.require_organisation_settings(p_settings);
  perform from public.organisations as o where o.id = p_organisation_id for no key update;
  if p_seen_change is distinct from peerpause.latest_settings_change(p_organisation_id) then
    return;
  end if;

  v_before := peerpause.organisation_settings(p_organisation_id);
  v_after := v_before || p_settings;
  update public.organisations as o
  set
    role_word = nullif(btrim(v_after ->> 'role_word'), ''),
    role_word_plural = nullif(btrim(v_after ->> 'role_word_plural'), ''),
    language = v_after ->> 'language',
    time_zone = v_after ->> 'time_zone',
    required_certification_kinds = array(select jsonb_array_elements_text(v_after -> 'required_certification_kinds')),
    push_detail = v_after ->> 'push_detail',
    reminder_days = array(select jsonb_array_elements_text(v_after -> 'reminder_days')::integer),
    return_reminder_days = array(select jsonb_array_elements_text(v_after -> 'return_reminder_days')::integer),
    auto_return = (v_after ->> 'auto_return')::boolean
  where o.id = p_organisation_id;
  if p_settings ? 'reason_labels' then
    delete from public.reason_labels as l where l.organisation_id = p_organisation_id;
    insert into public.reason_labels (organisation_id, reason, language, label)
    select p_organisation_id, r.key, l.key, btrim(l.value)
    from jsonb_each(p_settings -> 'reason_labels') as r
    cross join lateral jsonb_each_text(r.value) as l
    where btrim(l.value) <> '';
  end if;

  v_after := peerpause.organisation_settings(p_organisation_id);
  if v_after = v_before then
    return query select p_seen_change, v_after;
    return;
  end if;
  insert into public.organisation_changes (organisation_id, kind, before, after, changed_by)
  select
    p_organisation_id, 'settings', jsonb_object_agg(b.key, b.value), jsonb_object_agg(b.key, v_after -> b.key), peerpause.caller()
  from jsonb_each(v_before) as b
  where b.value is distinct from v_after -> b.key
  returning id into v_change_id;
  return query select v_change_id, v_after;
end
$$;

-- Refuses (22023) settings that an organisation cannot have, naming the first that is wrong.
create function peerpause.require_organisation_settings(p_settings jsonb)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_wrong text;
begin
  if jsonb_typeof(p_settings) is distinct from 'object' then
    raise exception 'the settings are no object' using errcode = '22023', hint = 'Pass a JSON object of the settings to change.';
  end if;
  select s.key into v_wrong
  from jsonb_each(p_settings) as s
  where
    case s.key
      when 'role_word' then jsonb_typeof(s.value) not in ('string', 'null') or char_length(s.value #>> '{}') > 60
      when 'role_word_plural' then jsonb_typeof(s.value) not in ('string', 'null') or char_length(s.value #>> '{}') > 60
      when 'language' then s.value not in (to_jsonb('nb'::text), to_jsonb('nn'::text), to_jsonb('en'::text))
      when 'time_zone' then not exists (select from pg_timezone_names as z where to_jsonb(z.name) = s.value)
      when 'push_detail' then s.value not in (to_jsonb('first_name'::text), to_jsonb('minimal'::text))
      when 'auto_return' then jsonb_typeof(s.value) <> 'boolean'
      when 'required_certification_kinds' then
        jsonb_typeof(s.value) <> 'array'
        or exists (
          select from jsonb_array_elements(case jsonb_typeof(s.value) when 'array' then s.value else '[]' end) as k
          where jsonb_typeof(k.value) <> 'string' or k.value #>> '{}' !~ '^[a-z][a-z0-9_]{0,59}$'
        )
      when 'reminder_days' then not peerpause.are_days(s.value)
      when 'return_reminder_days' then not peerpause.are_days(s.value)
      when 'reason_labels' then
        jsonb_typeof(s.value) <> 'object'
        or exists (
          select from jsonb_each(case jsonb_typeof(s.value) when 'object' then s.value else '{}' end) as r
          where
            not r.key = any(peerpause.reason_codes())
            or jsonb_typeof(r.value) <> 'object'
            or exists (
              select from jsonb_each(case jsonb_typeof(r.value) when 'object' then r.value else '{}' end) as l
              where
                l.key not in ('nb', 'nn', 'en')
                or jsonb_typeof(l.value) <> 'string'
                or char_length(btrim(l.value #>> '{}')) > 100
            )
        )
      else true
    end
  limit 1;
  if found then
    raise exception 'there is no such setting, or it cannot have this value: %', left(v_wrong, 60)
      using errcode = '22023', hint = 'See peerpause.organisation_settings for the names and what they look like.';
  end if;
end
$$;

-- Whether a JSON value is a list of at most ten whole numbers of days, from 0 to 365.
create function peerpause.are_days(p_value jsonb)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if jsonb_typeof(p_value) <> 'array' or jsonb_array_length(p_value) > 10 then
    return false;
  end if;
  return not exists (
    select from jsonb_array_elements(p_value) as d
    where jsonb_typeof(d.value) <> 'number' or d.value #>> '{}' !~ '^[0-9]{1,3}$' or (d.value #>> '{}')::integer > 365
  );
end
$$;

-- Everybody with a part in an organisation who has an account, once each. For functions that have looked at their caller.
create function peerpause.people_of(p_organisation_id uuid)
returns table (user_id uuid, is_mentor boolean, is_coordinator boolean, is_admin boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select u.user_id, bool_or(u.part = 'mentor'), bool_or(u.part = 'coordinator'), bool_or(u.part = 'admin')
  from (
    select p.user_id, 'mentor' as part
    from public.peer_mentors as p
    where p.organisation_id = p_organisation_id and p.user_id is not null
    union all
    select r.user_id, case when r.active then 'coordinator' end
    from public.coordinator_roles as r
    where r.organisation_id = p_organisation_id
    union all
    select a.user_id, 'admin'
    from public.organisation_admins as a
    where a.organisation_id = p_organisation_id and a.active
  ) as u
  group by u.user_id;
end
$$;

-- The people of an organisation by name, for its admins: those whose name or address contains p_search, at most p_limit (1 to 500)
-- behind the name and id that the last page ended with. 42501: not yours. 22023: limit out of range.
create function peerpause.list_people_of_organisation(
  p_organisation_id uuid,
  p_search text,
  p_limit integer,
  p_after_name text,
  p_after_id uuid
)
returns table (user_id uuid, display_name text, email text, is_mentor boolean, is_coordinator boolean, is_admin boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  perform peerpause.require_limit(p_limit);
  return query
  select p.user_id, p.display_name, p.email, o.is_mentor, o.is_coordinator, o.is_admin
  from peerpause.people_of(p_organisation_id) as o
  inner join public.people as p on p.user_id = o.user_id
  where
    (p_search is null or strpos(lower(p.display_name), lower(p_search)) > 0 or strpos(lower(p.email), lower(p_search)) > 0)
    and (p_after_name is null or (p.display_name, p.user_id) > (p_after_name, p_after_id))
  order by p.display_name, p.user_id
  limit p_limit;
end
$$;

-- The names behind ids that stand in an organisation's own records, for its admins: of its people and of whoever acted there.
-- Ids of anybody else have no row. 42501: not yours.
create function peerpause.names_in_organisation(p_organisation_id uuid, p_user_ids uuid[])
returns table (user_id uuid, display_name text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  return query
  select p.user_id, p.display_name
  from public.people as p
  where
    p.user_id = any(p_user_ids)
    and (
      exists (select from peerpause.people_of(p_organisation_id) as o where o.user_id = p.user_id)
      or exists (
        select from public.peer_mentor_status_history as h
        where h.organisation_id = p_organisation_id and h.changed_by = p.user_id
      )
      or exists (
        select from public.organisation_changes as c
        where c.organisation_id = p_organisation_id and p.user_id in (c.changed_by, c.person_id)
      )
    );
end
$$;

-- Lets somebody who has a part in the organisation coordinate one of its chapters, for its admins. Whether that changed anything.
-- 42501: not yours, or no such chapter. 22023: the person has no part in the organisation. Locks: the role's row.
create function peerpause.give_coordinator_role(p_chapter_id uuid, p_user_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id uuid;
begin
  select c.organisation_id into v_organisation_id from public.chapters as c where c.id = p_chapter_id;
  perform peerpause.authorise_organisation(v_organisation_id);
  if not exists (
    select from peerpause.people_of(v_organisation_id) as p where p.user_id = p_user_id
  ) then
    raise exception 'this person has no part in the organisation'
      using errcode = '22023', hint = 'Bring them in with an import first.';
  end if;
  insert into public.coordinator_roles as r (organisation_id, chapter_id, user_id, active)
  values (v_organisation_id, p_chapter_id, p_user_id, true)
  on conflict on constraint coordinator_roles_pkey do update set active = true where not r.active;
  if not found then
    return false;
  end if;
  insert into public.organisation_changes (organisation_id, kind, chapter_id, person_id, changed_by)
  values (v_organisation_id, 'coordinator_given', p_chapter_id, p_user_id, peerpause.caller());
  return true;
end
$$;

-- Takes the role of a chapter's coordinator back; every right that came with it ends at once. Whether that changed anything.
-- 42501: not yours, or no such chapter. Locks: the role's row.
create function peerpause.take_coordinator_role(p_chapter_id uuid, p_user_id uuid)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id uuid;
begin
  select c.organisation_id into v_organisation_id from public.chapters as c where c.id = p_chapter_id;
  perform peerpause.authorise_organisation(v_organisation_id);
  update public.coordinator_roles as r
  set active = false
  where r.chapter_id = p_chapter_id and r.user_id = p_user_id and r.active;
  if not found then
    return false;
  end if;
  insert into public.organisation_changes (organisation_id, kind, chapter_id, person_id, changed_by)
  values (v_organisation_id, 'coordinator_taken', p_chapter_id, p_user_id, peerpause.caller());
  return true;
end
$$;

-- Lets deliveries of an organisation start over that ended without success, for its admins: these, or with null all that failed or
-- were given up. What was sent, or what its recipient does not want, stays as it is. Answers how many will be tried.
-- 42501: not yours. Locks: the deliveries' rows.
create function peerpause.retry_deliveries_of_organisation(p_organisation_id uuid, p_ids uuid[])
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_count integer;
begin
  perform peerpause.authorise_organisation(p_organisation_id);
  update public.notification_deliveries as d
  set
    state = 'pending',
    outcome = null,
    error_code = null,
    settled_at = null,
    first_tried_at = null,
    attempts = 0,
    not_before = clock_timestamp()
  where
    d.organisation_id = p_organisation_id
    and (
      p_ids is null and d.state in ('failed', 'expired')
      or d.id = any(p_ids) and d.state in ('failed', 'expired', 'skipped')
    )
    and d.outcome is distinct from 'opted_out';
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

-- PostgreSQL opens new functions to everyone.
revoke all on function
peerpause.organisation_settings(uuid),
peerpause.latest_settings_change(uuid),
peerpause.change_organisation_settings(uuid, jsonb, uuid),
peerpause.give_coordinator_role(uuid, uuid),
peerpause.take_coordinator_role(uuid, uuid),
peerpause.list_people_of_organisation(uuid, text, integer, text, uuid),
peerpause.names_in_organisation(uuid, uuid[]),
peerpause.retry_deliveries_of_organisation(uuid, uuid[]),
peerpause.require_organisation_settings(jsonb),
peerpause.are_days(jsonb),
peerpause.people_of(uuid)
from public, anon, authenticated, service_role;

grant execute on function
peerpause.organisation_settings(uuid),
peerpause.latest_settings_change(uuid),
peerpause.change_organisation_settings(uuid, jsonb, uuid),
peerpause.give_coordinator_role(uuid, uuid),
peerpause.take_coordinator_role(uuid, uuid),
peerpause.list_people_of_organisation(uuid, text, integer, text, uuid),
peerpause.names_in_organisation(uuid, uuid[]),
peerpause.retry_deliveries_of_organisation(uuid, uuid[])
to authenticated, service_role;
