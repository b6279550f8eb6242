-- Everything about a person on request, and the erasure of a person that keeps the audit sound; who read a mentor's notes is recorded.

-- Who read a mentor's notes or history: one row for each reader, mentor, kind of reading and hour. What mentors read of themselves is
-- not kept.
create table peerpause.mentor_reads (
  organisation_id uuid not null,
  mentor_id uuid not null,
  hour timestamptz not null,
  reader_id uuid not null,
  what text not null,
  read_at timestamptz not null default clock_timestamp(),
  primary key (mentor_id, hour, reader_id, what),
  constraint mentor_reads_mentor foreign key (organisation_id, mentor_id) references public.peer_mentors (organisation_id, id),
  constraint mentor_reads_kind_is_known check (what in ('history', 'note', 'export')),
  constraint mentor_reads_hour_is_whole check (hour = date_trunc('hour', hour, 'UTC'))
);

comment on table peerpause.mentor_reads is 'Who read a mentor''s notes or history, once an hour at most. Mentors and admins ask for it by list_mentor_reads.';
comment on column peerpause.mentor_reads.reader_id is 'The signed-in person; the nil uuid for the operator at the command line.';
comment on column peerpause.mentor_reads.what is 'history; note: the note of a pause; export: everything that is kept of the person.';
comment on column peerpause.mentor_reads.read_at is 'The first time in that hour.';

create index mentor_reads_age on peerpause.mentor_reads (organisation_id, hour);

alter table peerpause.mentor_reads enable row level security;
alter table peerpause.mentor_reads force row level security;
revoke all on table peerpause.mentor_reads from public, anon, authenticated, service_role;

-- Who was erased, by pseudonym: the list that is applied again after an old backup was restored (`peerpause person reapply-erasures`).
create table peerpause.erasures (
  pseudonym uuid primary key,
  organisation_id uuid references public.organisations (id),
  mentor_ids uuid[] not null,
  person_digest bytea,
  erased_at timestamptz not null default clock_timestamp(),
  requested_by uuid,
  counts jsonb not null,
  constraint erasures_find_somebody check (mentor_ids <> '{}' or person_digest is not null)
);

comment on table peerpause.erasures is 'One row for each person erased; holds nothing that says who they were.';
comment on column peerpause.erasures.organisation_id is 'Where the person was erased; null means everywhere.';
comment on column peerpause.erasures.person_digest is 'SHA-256 of the erased user id, a random one: finds the person again in a restored backup, and tells nothing else.';
comment on column peerpause.erasures.requested_by is 'The admin who did it; null means the operator.';
comment on column peerpause.erasures.counts is 'How many rows of each table were touched.';

create index erasures_organisation on peerpause.erasures (organisation_id);
create index erasures_person on peerpause.erasures (person_digest);

alter table peerpause.erasures enable row level security;
alter table peerpause.erasures force row level security;
revoke all on table peerpause.erasures from public, anon, authenticated, service_role;

-- Notes that the caller reads something of a mentor: history, note or export; the first time in each hour, and never for what mentors
-- read of themselves. The caller of this function has authorised.
create function peerpause.record_read(p_organisation_id uuid, p_mentor_id uuid, p_what text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into peerpause.mentor_reads (organisation_id, mentor_id, hour, reader_id, what)
  select
    p.organisation_id, p.id, date_trunc('hour', clock_timestamp(), 'UTC'),
    coalesce(peerpause.caller(), '00000000-0000-0000-0000-000000000000'), p_what
  from public.peer_mentors as p
  where p.organisation_id = p_organisation_id and p.id = p_mentor_id and p.user_id is distinct from peerpause.caller()
  on conflict (mentor_id, hour, reader_id, what) do nothing;
end
$$;

-- Who read a mentor's notes or history, newest first, at most p_limit (1 to 500) from before p_before: for the mentor and for admins.
-- reader_name is null for the operator and for somebody who is no longer in the directory. 42501: neither the mentor nor an admin.
-- PT404: no such mentor. 22023: a limit out of range.
create function peerpause.list_mentor_reads(p_mentor_id uuid, p_limit integer, p_before timestamptz)
returns table (reader_id uuid, reader_name text, what text, read_at timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_organisation_id constant uuid := peerpause.authorise(p_mentor_id);
begin
  perform peerpause.require_limit(p_limit);
  if
    not peerpause.caller_is_service()
    and not v_organisation_id = any(peerpause.my_organisations())
    and not p_mentor_id = any(peerpause.my_mentors())
  then
    raise exception 'who read this is for the mentor and for admins'
      using errcode = '42501', hint = 'Ask the mentor, or an admin of the organisation.';
  end if;
  return query
  select nullif(r.reader_id, '00000000-0000-0000-0000-000000000000'), u.display_name, r.what, r.read_at
  from peerpause.mentor_reads as r
  left join public.people as u on u.user_id = r.reader_id
  where r.mentor_id = p_mentor_id and r.read_at < coalesce(p_before, 'infinity')
  order by r.read_at desc
  limit p_limit;
end
$$;

create function public.list_mentor_reads(p_mentor_id uuid, p_limit integer default 50, p_before timestamptz default null)
returns table (reader_id uuid, reader_name text, what text, read_at timestamptz)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select r.* from peerpause.list_mentor_reads(p_mentor_id, p_limit, p_before) as r;
end
$$;

-- The person behind an id, which may be a user id or the id of a mentor: their user id (null for a mentor without an account) and
-- their rows as a mentor, in one organisation or, with null, in all.
create function peerpause.find_person(p_id uuid, p_organisation_id uuid, out o_user_id uuid, out o_mentor_ids uuid[])
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  select p.user_id into o_user_id from public.peer_mentors as p where p.id = p_id;
  if not found then
    o_user_id := p_id;
  end if;
  o_mentor_ids := array(
    select p.id
    from public.peer_mentors as p
    where (p.id = p_id or p.user_id = o_user_id) and (p_organisation_id is null or p.organisation_id = p_organisation_id)
    order by p.id
  );
end
$$;

-- Whether a user has a part in an organisation, or with null anywhere: as a mentor, a coordinator or an admin.
create function peerpause.has_a_part(p_user_id uuid, p_organisation_id uuid)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return
    exists (
      select from public.peer_mentors as p
      where p.user_id = p_user_id and (p_organisation_id is null or p.organisation_id = p_organisation_id)
    )
    or exists (
      select from public.coordinator_roles as r
      where r.user_id = p_user_id and (p_organisation_id is null or r.organisation_id = p_organisation_id)
    )
    or exists (
      select from public.organisation_admins as a
      where a.user_id = p_user_id and (p_organisation_id is null or a.organisation_id = p_organisation_id)
    )
    or (p_organisation_id is null and exists (select from peerpause.global_admins as g where g.user_id = p_user_id));
end
$$;

-- Whether a user left anything in what an organisation, or with null any, has recorded.
create function peerpause.has_recorded(p_user_id uuid, p_organisation_id uuid)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return
    exists (
      select from public.peer_mentor_status_history as h
      where h.changed_by = p_user_id and (p_organisation_id is null or h.organisation_id = p_organisation_id)
    )
    or exists (
      select from public.certification_renewals as r
      where r.recorded_by = p_user_id and (p_organisation_id is null or r.organisation_id = p_organisation_id)
    )
    or exists (
      select from public.certification_overrides as o
      where o.granted_by = p_user_id and (p_organisation_id is null or o.organisation_id = p_organisation_id)
    );
end
$$;

-- Refuses (42501) whoever may not handle all the data of a person: that is for the service role, and for an admin within their own
-- organisation. PT404: the person is not known there.
create function peerpause.authorise_person(p_user_id uuid, p_mentor_ids uuid[], p_organisation_id uuid)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_organisation_id is null then
    if not peerpause.caller_is_service() then
      raise exception 'everywhere is for the operator alone'
        using errcode = '42501', hint = 'Pass p_organisation_id, one that you administer.';
    end if;
  else
    perform peerpause.authorise_organisation(p_organisation_id);
  end if;
  if
    cardinality(p_mentor_ids) = 0
    and not peerpause.has_a_part(p_user_id, p_organisation_id)
    and not peerpause.has_recorded(p_user_id, p_organisation_id)
    and not (p_organisation_id is null and exists (select from public.people as p where p.user_id = p_user_id))
    and not (p_organisation_id is null and exists (select from public.device_tokens as d where d.user_id = p_user_id))
  then
    raise exception 'no such person' using errcode = 'PT404', hint = 'Pass the id of a user or of a mentor.';
  end if;
end
$$;

-- Who did something, as the one whose data is exported may learn it: self, other or system. The others have rights too.
create function peerpause.by_whom(p_actor_id uuid, p_user_id uuid)
returns text
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return case when p_actor_id is null then 'system' when p_actor_id = p_user_id then 'self' else 'other' end;
end
$$;

-- Everything that is kept about a person: {person_id, mentor_ids, organisation_id, exported_at, organisations, sections}, where
-- sections holds, by table, the rows about them. p_person_id is the id of a user or of a mentor; p_organisation_id limits the answer
-- to one organisation.
--
-- People export themselves (p_person_id their own user id), admins whom they have in their organisation, the service role anybody.
-- Left out are device tokens and other people's ids and names. The export is recorded as a reading of each mentor it is about.
-- 42501: not yours. PT404: no such person there.
create function peerpause.export_person(p_person_id uuid, p_organisation_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id uuid;
  v_mentor_ids uuid[];
begin
  select f.o_user_id, f.o_mentor_ids into v_user_id, v_mentor_ids from peerpause.find_person(p_person_id, p_organisation_id) as f;
  if v_user_id is null or v_user_id is distinct from (select auth.uid()) then
    perform peerpause.authorise_person(v_user_id, v_mentor_ids, p_organisation_id);
  end if;
  perform peerpause.record_read(p.organisation_id, p.id, 'export') from public.peer_mentors as p where p.id = any(v_mentor_ids);
  return jsonb_build_object(
    'person_id', v_user_id,
    'mentor_ids', to_jsonb(v_mentor_ids),
    'organisation_id', p_organisation_id,
    'exported_at', peerpause.audit_stamp(clock_timestamp()),
    'organisations',
    (
      select coalesce(jsonb_agg(jsonb_build_object('organisation_id', o.id, 'name', o.name, 'language', o.language) order by o.name), '[]')
      from public.organisations as o
      where
        (p_organisation_id is null or o.id = p_organisation_id)
        and (peerpause.has_a_part(v_user_id, o.id) or exists (
          select from public.peer_mentors as p where p.organisation_id = o.id and p.id = any(v_mentor_ids)
        ))
    ),
    'sections',
    peerpause.export_identity(v_user_id, v_mentor_ids, p_organisation_id)
    || peerpause.export_mentor(v_user_id, v_mentor_ids)
    || peerpause.export_deeds(v_user_id, v_mentor_ids, p_organisation_id)
  );
end
$$;

create function public.export_person(p_person_id uuid, p_organisation_id uuid default null)
returns jsonb
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.export_person(p_person_id, p_organisation_id);
end
$$;

-- The part of an export that says who somebody is: names, address, devices, roles.
create function peerpause.export_identity(p_user_id uuid, p_mentor_ids uuid[], p_organisation_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return jsonb_build_object(
    'people',
    (select coalesce(jsonb_agg(to_jsonb(u)), '[]') from public.people as u where u.user_id = p_user_id),
    'peer_mentors',
    (select coalesce(jsonb_agg(to_jsonb(p) order by p.id), '[]') from public.peer_mentors as p where p.id = any(p_mentor_ids)),
    'device_tokens',
    (
      select coalesce(jsonb_agg(to_jsonb(d) - 'token' order by d.registered_at), '[]')
      from public.device_tokens as d
      where d.user_id = p_user_id
    ),
    'web_sessions',
    (
      select coalesce(
        jsonb_agg(
          jsonb_build_object('created_at', w.created_at, 'last_seen_at', w.last_seen_at, 'expires_at', w.expires_at) order by w.created_at
        ),
        '[]'
      )
      from peerpause.web_sessions as w
      where w.user_id = p_user_id
    ),
    'sign_in_identities',
    (
      select coalesce(
        jsonb_agg(
          jsonb_build_object('issuer', i.issuer, 'subject', i.subject, 'linked_by', i.linked_by, 'linked_at', i.linked_at)
          order by i.linked_at
        ),
        '[]'
      )
      from peerpause.sign_in_identities as i
      where i.user_id = p_user_id
    ),
    'chapter_memberships',
    (
      select coalesce(jsonb_agg(to_jsonb(m) || jsonb_build_object('chapter', c.name) order by c.name), '[]')
      from public.chapter_memberships as m
      inner join public.chapters as c on c.id = m.chapter_id
      where m.mentor_id = any(p_mentor_ids)
    ),
    'coordinator_roles',
    (
      select coalesce(jsonb_agg(to_jsonb(r) || jsonb_build_object('chapter', c.name) order by c.name), '[]')
      from public.coordinator_roles as r
      inner join public.chapters as c on c.id = r.chapter_id
      where r.user_id = p_user_id and (p_organisation_id is null or r.organisation_id = p_organisation_id)
    ),
    'organisation_admins',
    (
      select coalesce(jsonb_agg(to_jsonb(a) order by a.organisation_id), '[]')
      from public.organisation_admins as a
      where a.user_id = p_user_id and (p_organisation_id is null or a.organisation_id = p_organisation_id)
    ),
    'global_admins',
    (select coalesce(jsonb_agg(to_jsonb(g)), '[]') from peerpause.global_admins as g where g.user_id = p_user_id)
  );
end
$$;

-- The part of an export that is about somebody as a mentor: history, plans, certificates, who read them.
create function peerpause.export_mentor(p_user_id uuid, p_mentor_ids uuid[])
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return jsonb_build_object(
    'peer_mentor_status_history',
    (
      select coalesce(
        jsonb_agg(
          to_jsonb(h) - 'changed_by' || jsonb_build_object('changed_by', peerpause.by_whom(h.changed_by, p_user_id)) order by h.changed_at
        ),
        '[]'
      )
      from public.peer_mentor_status_history as h
      where h.mentor_id = any(p_mentor_ids)
    ),
    'scheduled_status_changes',
    (
      select coalesce(
        jsonb_agg(
          to_jsonb(s) || jsonb_build_object(
            'requested_by', peerpause.by_whom(s.requested_by, p_user_id),
            'settled_by', case when s.settled_at is not null then peerpause.by_whom(s.settled_by, p_user_id) end
          )
          order by s.requested_at
        ),
        '[]'
      )
      from public.scheduled_status_changes as s
      where s.mentor_id = any(p_mentor_ids)
    ),
    'certifications',
    (
      select coalesce(
        jsonb_agg(to_jsonb(c) || jsonb_build_object('recorded_by', peerpause.by_whom(c.recorded_by, p_user_id)) order by c.issued_on), '[]'
      )
      from public.certifications as c
      where c.mentor_id = any(p_mentor_ids)
    ),
    'certification_renewals',
    (
      select coalesce(
        jsonb_agg(to_jsonb(r) || jsonb_build_object('recorded_by', peerpause.by_whom(r.recorded_by, p_user_id)) order by r.recorded_at), '[]'
      )
      from public.certification_renewals as r
      where r.mentor_id = any(p_mentor_ids)
    ),
    'certification_overrides',
    (
      select coalesce(
        jsonb_agg(to_jsonb(o) || jsonb_build_object('granted_by', peerpause.by_whom(o.granted_by, p_user_id)) order by o.granted_at), '[]'
      )
      from public.certification_overrides as o
      where o.mentor_id = any(p_mentor_ids)
    ),
    'mentor_notices',
    (
      select coalesce(
        jsonb_agg(
          to_jsonb(n)
          || jsonb_build_object('facts', n.facts - 'actor_id' || jsonb_build_object('actor', peerpause.by_whom((n.facts ->> 'actor_id')::uuid, p_user_id)))
          order by n.created_at
        ),
        '[]'
      )
      from public.mentor_notices as n
      where n.mentor_id = any(p_mentor_ids)
    ),
    'mentor_reads',
    (
      select coalesce(
        jsonb_agg(jsonb_build_object('organisation_id', r.organisation_id, 'what', r.what, 'read_at', r.read_at) order by r.read_at), '[]'
      )
      from peerpause.mentor_reads as r
      where r.mentor_id = any(p_mentor_ids)
    )
  );
end
$$;

-- The part of an export that is about what somebody did and was told. Of the others it concerns, neither names nor ids.
create function peerpause.export_deeds(p_user_id uuid, p_mentor_ids uuid[], p_organisation_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return jsonb_build_object(
    'notifications',
    (
      select coalesce(
        jsonb_agg(
          to_jsonb(n) - 'mentor_id' - 'payload'
          || case when n.mentor_id = any(p_mentor_ids) then jsonb_build_object('payload', n.payload - 'actor_id') else '{}' end
          order by n.created_at
        ),
        '[]'
      )
      from public.notifications as n
      where n.recipient_id = p_user_id and (p_organisation_id is null or n.organisation_id = p_organisation_id)
    ),
    'notification_deliveries',
    (
      select coalesce(jsonb_agg(to_jsonb(d) - 'mentor_id' order by d.created_at), '[]')
      from public.notification_deliveries as d
      where d.recipient_id = p_user_id and (p_organisation_id is null or d.organisation_id = p_organisation_id)
    ),
    'changes_of_others',
    (
      select coalesce(
        jsonb_agg(
          jsonb_build_object(
            'organisation_id', h.organisation_id, 'previous_status', h.previous_status, 'new_status', h.new_status, 'changed_at', h.changed_at
          )
          order by h.changed_at
        ),
        '[]'
      )
      from public.peer_mentor_status_history as h
      where
        h.changed_by = p_user_id
        and (p_organisation_id is null or h.organisation_id = p_organisation_id)
        and not h.mentor_id = any(p_mentor_ids)
    ),
    'reads_of_others',
    (
      select coalesce(
        jsonb_agg(jsonb_build_object('organisation_id', r.organisation_id, 'what', r.what, 'read_at', r.read_at) order by r.read_at), '[]'
      )
      from peerpause.mentor_reads as r
      where r.reader_id = p_user_id and (p_organisation_id is null or r.organisation_id = p_organisation_id)
    ),
    'job_runs',
    (
      select coalesce(
        jsonb_agg(jsonb_build_object('organisation_id', j.organisation_id, 'job', j.job, 'started_at', j.started_at) order by j.started_at), '[]'
      )
      from public.job_runs as j
      where j.started_by = p_user_id and (p_organisation_id is null or j.organisation_id = p_organisation_id)
    ),
    'idempotency_keys',
    (
      select coalesce(
        jsonb_agg(jsonb_build_object('organisation_id', k.organisation_id, 'request', k.request, 'created_at', k.created_at) order by k.created_at),
        '[]'
      )
      from public.idempotency_keys as k
      where k.caller = p_user_id and (p_organisation_id is null or k.organisation_id = p_organisation_id)
    ),
    'webhook_endpoints',
    (
      select coalesce(
        jsonb_agg(jsonb_build_object('organisation_id', w.organisation_id, 'url', w.url, 'created_at', w.created_at) order by w.created_at), '[]'
      )
      from public.webhook_endpoints as w
      where w.created_by = p_user_id and (p_organisation_id is null or w.organisation_id = p_organisation_id)
    )
  );
end
$$;

-- Erases a person: afterwards nothing in the database says who they were, and everything that counts still adds up. p_person_id is the
-- id of a user or of a mentor; p_organisation_id limits it to one organisation, null means everywhere.
--
--   1. a mentor who is not inactive leaves first, by the legal steps, and the coordinators are told;
--   2. notes go; where the person did something, a random pseudonym stands; the audit chain records both and still holds;
--   3. names, addresses, devices, roles and the inbox go; names go from other people's inboxes; deliveries keep their counts;
--   4. the erasure is listed by pseudonym, so that it can be applied again after a restore.
--
-- Without p_apply all of it is done and taken back, so that the answer says exactly what would happen: {pseudonym, applied, repeated,
-- mentors, counts}. Erasing again finds what came in since, under the same pseudonym.
-- Admins erase whom they have in their organisation, the service role anybody. 42501: not yours. PT404: no such person there.
-- Locks: the mentors' rows, the records concerned in the order of their ids, then the end of the organisation's audit chain.
create function peerpause.erase_person(p_person_id uuid, p_organisation_id uuid, p_apply boolean)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id uuid;
  v_mentor_ids uuid[];
  v_erasure peerpause.erasures;
begin
  select f.o_user_id, f.o_mentor_ids into v_user_id, v_mentor_ids from peerpause.find_person(p_person_id, p_organisation_id) as f;
  select *
  into v_erasure
  from peerpause.erasures as e
  where
    (e.organisation_id is null or e.organisation_id = p_organisation_id or p_organisation_id is null)
    and (e.mentor_ids && v_mentor_ids or e.pseudonym = v_user_id or e.person_digest = peerpause.person_digest(v_user_id))
  order by e.erased_at
  limit 1;
  if v_erasure.pseudonym is null then
    perform peerpause.authorise_person(v_user_id, v_mentor_ids, p_organisation_id);
  elsif p_organisation_id is not null then
    perform peerpause.authorise_organisation(p_organisation_id);
  else
    perform peerpause.authorise_person(v_user_id, v_mentor_ids || v_erasure.mentor_ids || v_erasure.pseudonym, null);
  end if;
  return peerpause.erase_under(
    v_user_id, v_mentor_ids, p_organisation_id, coalesce(v_erasure.pseudonym, gen_random_uuid()), coalesce(p_apply, false)
  );
end
$$;

create function public.erase_person(p_person_id uuid, p_organisation_id uuid default null, p_apply boolean default false)
returns jsonb
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return peerpause.erase_person(p_person_id, p_organisation_id, p_apply);
end
$$;

-- By what an erased user is found again in a restored backup.
create function peerpause.person_digest(p_user_id uuid)
returns bytea
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return sha256(convert_to('peerpause erasure ' || p_user_id::text, 'UTF8'));
end
$$;

-- Erases under a given pseudonym, or with p_apply false does it and takes it back. The caller has authorised.
create function peerpause.erase_under(
  p_user_id uuid,
  p_mentor_ids uuid[],
  p_organisation_id uuid,
  p_pseudonym uuid,
  p_apply boolean
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id constant uuid := nullif(p_user_id, p_pseudonym);
  v_organisation_id uuid;
  v_counts jsonb := '{}';
  v_repeated constant boolean := exists (select from peerpause.erasures as e where e.pseudonym = p_pseudonym);
begin
  begin
    for v_organisation_id in
      select o.id
      from public.organisations as o
      where p_organisation_id is null or o.id = p_organisation_id
      order by o.id
    loop
      -- All records first and the chain last, as the outbox does, so that the two never wait for each other.
      perform from public.peer_mentor_status_history as h
      where h.organisation_id = v_organisation_id and (h.mentor_id = any(p_mentor_ids) or h.changed_by = v_user_id)
      order by h.id
      for update;
      v_counts := peerpause.summed(v_counts, peerpause.erase_mentors(v_organisation_id, p_mentor_ids, p_pseudonym));
      v_counts := peerpause.summed(v_counts, peerpause.erase_user(v_organisation_id, v_user_id, p_pseudonym));
    end loop;
    if v_user_id is not null then
      v_counts := peerpause.summed(v_counts, peerpause.erase_account(v_user_id, p_organisation_id is null, p_pseudonym));
    end if;
    insert into peerpause.erasures (pseudonym, organisation_id, mentor_ids, person_digest, requested_by, counts)
    values (p_pseudonym, p_organisation_id, p_mentor_ids, peerpause.person_digest(v_user_id), peerpause.caller(), v_counts)
    on conflict (pseudonym) do update
    set
      organisation_id = case when excluded.organisation_id is null then null else erasures.organisation_id end,
      mentor_ids = array(select distinct m.id from unnest(erasures.mentor_ids || excluded.mentor_ids) as m (id) order by m.id),
      person_digest = coalesce(erasures.person_digest, excluded.person_digest),
      counts = peerpause.summed(erasures.counts, excluded.counts);
    if not p_apply then
      raise exception 'only to see what would happen' using errcode = 'PT000';
    end if;
  exception
    when sqlstate 'PT000' then
      null;
  end;
  return jsonb_build_object(
    'pseudonym', case when p_apply or v_repeated then p_pseudonym end,
    'applied', p_apply,
    'repeated', v_repeated,
    'mentors', cardinality(p_mentor_ids),
    'counts', v_counts
  );
end
$$;

-- Two tallies in one: {"a": 1} and {"a": 2, "b": 1} are {"a": 3, "b": 1}. What is zero is left out.
create function peerpause.summed(p_one jsonb, p_other jsonb)
returns jsonb
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(jsonb_object_agg(s.key, s.total), '{}')
    from (
      select t.key, sum(t.value::bigint) as total
      from (select * from jsonb_each_text(p_one) union all select * from jsonb_each_text(p_other)) as t
      group by t.key
      having sum(t.value::bigint) <> 0
    ) as s
  );
end
$$;

-- Takes the person out of their rows as a mentor in one organisation: they leave, their notes and names go. Answers a tally by table.
create function peerpause.erase_mentors(p_organisation_id uuid, p_mentor_ids uuid[], p_pseudonym uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_mentor_ids constant uuid[] := array(
    select p.id from public.peer_mentors as p
    where p.organisation_id = p_organisation_id and p.id = any(p_mentor_ids)
    order by p.id for update
  );
  v_word constant text := (
    select case o.language when 'en' then 'Erased person' when 'nn' then 'Sletta person' else 'Slettet person' end
    from public.organisations as o
    where o.id = p_organisation_id
  );
  v_name constant text := v_word || ' ' || left(p_pseudonym::text, 8);
  v_counts jsonb := '{}';
  v_count bigint;
begin
  if cardinality(v_mentor_ids) = 0 then
    return v_counts;
  end if;
  perform peerpause.settle_schedule(m.id, null, 'cancelled') from unnest(v_mentor_ids) as m (id);
  perform peerpause.deactivate_mentor(p.id, 'deactivated', null, null, null)
  from public.peer_mentors as p
  where p.id = any(v_mentor_ids) and p.status <> 'inactive';

  v_counts := jsonb_build_object(
    'notes',
    peerpause.clear_notes(
      p_organisation_id,
      array(
        select h.id from public.peer_mentor_status_history as h where h.mentor_id = any(v_mentor_ids)
        union all
        select r.id from public.certification_renewals as r where r.mentor_id = any(v_mentor_ids)
        union all
        select o.id from public.certification_overrides as o where o.mentor_id = any(v_mentor_ids)
      ),
      'erasure'
    )
  );

  update public.scheduled_status_changes as s
  set note = null
  where s.mentor_id = any(v_mentor_ids) and s.note is not null;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('scheduled_status_changes', v_count);

  update public.mentor_notices as n
  set cancelled_at = clock_timestamp()
  where n.mentor_id = any(v_mentor_ids) and n.told_at is null and n.cancelled_at is null;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('mentor_notices', v_count);

  update public.notifications as n
  set payload = n.payload || jsonb_build_object('display_name', v_name, 'first_name', v_word)
  where
    n.organisation_id = p_organisation_id
    and n.mentor_id = any(v_mentor_ids)
    and n.payload ->> 'display_name' is distinct from v_name;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('notifications', v_count);

  update public.peer_mentors as p
  set
    user_id = case when p.user_id is not null then p_pseudonym end,
    display_name = v_name,
    first_name = v_word,
    external_id = null,
    listed = false,
    languages = '{}',
    presentation = null,
    public_contact = null
  where
    p.id = any(v_mentor_ids)
    and (
      p.display_name <> v_name
      or p.first_name <> v_word
      or p.user_id <> p_pseudonym
      or p.external_id is not null
      or p.listed
      or p.languages <> '{}'
      or p.presentation is not null
      or p.public_contact is not null
    );
  get diagnostics v_count = row_count;
  return peerpause.summed(v_counts, jsonb_build_object('peer_mentors', v_count));
end
$$;

-- Takes a user out of everything they did, held and were told in one organisation. Answers a tally by table.
create function peerpause.erase_user(p_organisation_id uuid, p_user_id uuid, p_pseudonym uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_counts jsonb;
  v_count bigint;
begin
  if p_user_id is null then
    return '{}';
  end if;
  v_counts := jsonb_build_object('records', peerpause.clear_person(p_organisation_id, p_user_id, p_pseudonym, 'erasure'));

  delete from public.coordinator_roles as r where r.organisation_id = p_organisation_id and r.user_id = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('coordinator_roles', v_count);
  delete from public.organisation_admins as a where a.organisation_id = p_organisation_id and a.user_id = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('organisation_admins', v_count);
  delete from public.idempotency_keys as k where k.organisation_id = p_organisation_id and k.caller = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('idempotency_keys', v_count);

  delete from public.notifications as n where n.organisation_id = p_organisation_id and n.recipient_id = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('notifications', v_count);
  update public.notifications as n
  set payload = n.payload || jsonb_build_object('actor_id', p_pseudonym)
  where n.organisation_id = p_organisation_id and n.payload ->> 'actor_id' = p_user_id::text;
  update public.mentor_notices as n
  set facts = n.facts || jsonb_build_object('actor_id', p_pseudonym)
  where n.organisation_id = p_organisation_id and n.facts ->> 'actor_id' = p_user_id::text;

  update public.notification_deliveries as d
  set
    recipient_id = p_pseudonym,
    reference = null,
    state = case when d.state = 'pending' then 'skipped' else d.state end,
    outcome = case when d.state = 'pending' then 'opted_out' else d.outcome end,
    settled_at = coalesce(d.settled_at, clock_timestamp())
  where d.organisation_id = p_organisation_id and d.recipient_id = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('notification_deliveries', v_count);

  update public.scheduled_status_changes as s
  set
    requested_by = case when s.requested_by = p_user_id then p_pseudonym else s.requested_by end,
    settled_by = case when s.settled_by = p_user_id then p_pseudonym else s.settled_by end
  where s.organisation_id = p_organisation_id and p_user_id in (s.requested_by, s.settled_by);
  update public.certifications as c
  set recorded_by = p_pseudonym
  where c.organisation_id = p_organisation_id and c.recorded_by = p_user_id;
  update public.job_runs as j
  set started_by = p_pseudonym
  where j.organisation_id = p_organisation_id and j.started_by = p_user_id;
  update public.webhook_endpoints as w
  set created_by = p_pseudonym
  where w.organisation_id = p_organisation_id and w.created_by = p_user_id;
  update peerpause.inbound_secrets as i
  set created_by = p_pseudonym
  where i.organisation_id = p_organisation_id and i.created_by = p_user_id;
  update peerpause.mentor_reads as r
  set reader_id = p_pseudonym
  where r.organisation_id = p_organisation_id and r.reader_id = p_user_id;
  update peerpause.erasures as e
  set requested_by = p_pseudonym
  where e.organisation_id = p_organisation_id and e.requested_by = p_user_id;
  return peerpause.summed(v_counts, '{}');
end
$$;

-- Takes away what belongs to no one organisation: the entry in the directory, the devices, the sign-ins. Within one organisation that happens
-- only where the person has no part in another. Answers a tally by table.
create function peerpause.erase_account(p_user_id uuid, p_everywhere boolean, p_pseudonym uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_counts jsonb := '{}';
  v_count bigint;
begin
  if p_everywhere then
    delete from peerpause.global_admins as g where g.user_id = p_user_id;
    get diagnostics v_count = row_count;
    v_counts := jsonb_build_object('global_admins', v_count);
  elsif peerpause.has_a_part(p_user_id, null) then
    return v_counts;
  end if;
  update public.job_runs as j
  set started_by = p_pseudonym
  where j.organisation_id is null and j.started_by = p_user_id;
  update peerpause.erasures as e
  set requested_by = p_pseudonym
  where e.organisation_id is null and e.requested_by = p_user_id;
  delete from public.device_tokens as d where d.user_id = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('device_tokens', v_count);
  delete from peerpause.web_sessions as w where w.user_id = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('web_sessions', v_count);
  delete from peerpause.sign_in_identities as i where i.user_id = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('sign_in_identities', v_count);
  delete from public.people as u where u.user_id = p_user_id;
  get diagnostics v_count = row_count;
  return peerpause.summed(v_counts, jsonb_build_object('people', v_count));
end
$$;

-- Who was erased, by pseudonym, oldest first: in one organisation, for its admins, or with null everywhere, for the service role. Kept
-- apart from the backups, the list is applied again after one was restored. 42501: not yours.
create function peerpause.list_erasures(p_organisation_id uuid)
returns table (pseudonym uuid, organisation_id uuid, mentor_ids uuid[], person_digest text, erased_at timestamptz, counts jsonb)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_organisation_id is not null then
    perform peerpause.authorise_organisation(p_organisation_id);
  elsif not peerpause.caller_is_service() then
    raise exception 'everywhere is for the operator alone'
      using errcode = '42501', hint = 'Pass p_organisation_id, one that you administer.';
  end if;
  return query
  select e.pseudonym, e.organisation_id, e.mentor_ids, encode(e.person_digest, 'hex'), e.erased_at, e.counts
  from peerpause.erasures as e
  where p_organisation_id is null or e.organisation_id = p_organisation_id
  order by e.erased_at, e.pseudonym;
end
$$;

create function public.list_erasures(p_organisation_id uuid default null)
returns table (pseudonym uuid, organisation_id uuid, mentor_ids uuid[], person_digest text, erased_at timestamptz, counts jsonb)
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select e.* from peerpause.list_erasures(p_organisation_id) as e;
end
$$;

-- Applies one entry of that list to a restored database: finds the person by the ids of their mentor rows and the digest of their user
-- id, and erases them under the same pseudonym. Answers as peerpause.erase_person; mentors and counts say whether anybody was found.
-- For the service role.
create function peerpause.reapply_erasure(
  p_pseudonym uuid,
  p_organisation_id uuid,
  p_mentor_ids uuid[],
  p_person_digest text,
  p_apply boolean
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_digest constant bytea := decode(p_person_digest, 'hex');
  v_user_id uuid;
  v_mentor_ids uuid[];
begin
  select c.user_id
  into v_user_id
  from (
    select u.user_id from public.people as u
    union
    select p.user_id from public.peer_mentors as p
    union
    select r.user_id from public.coordinator_roles as r
    union
    select a.user_id from public.organisation_admins as a
    union
    select d.user_id from public.device_tokens as d
    union
    select h.changed_by from public.peer_mentor_status_history as h
  ) as c
  where peerpause.person_digest(c.user_id) = v_digest;
  v_mentor_ids := array(
    select p.id
    from public.peer_mentors as p
    where
      (p.id = any(p_mentor_ids) or p.user_id = v_user_id)
      and (p_organisation_id is null or p.organisation_id = p_organisation_id)
    order by p.id
  );
  if v_user_id is null and v_mentor_ids = '{}' then
    return jsonb_build_object('pseudonym', p_pseudonym, 'applied', p_apply, 'repeated', false, 'mentors', 0, 'counts', jsonb_build_object());
  end if;
  return peerpause.erase_under(v_user_id, v_mentor_ids, p_organisation_id, p_pseudonym, p_apply);
end
$$;

-- Export, erasure and the read log: people themselves, admins within their organisation, the operator; the tables are for functions.
revoke all on function
peerpause.record_read(uuid, uuid, text),
peerpause.list_mentor_reads(uuid, integer, timestamptz),
peerpause.find_person(uuid, uuid),
peerpause.has_a_part(uuid, uuid),
peerpause.has_recorded(uuid, uuid),
peerpause.authorise_person(uuid, uuid[], uuid),
peerpause.by_whom(uuid, uuid),
peerpause.export_person(uuid, uuid),
peerpause.export_identity(uuid, uuid[], uuid),
peerpause.export_mentor(uuid, uuid[]),
peerpause.export_deeds(uuid, uuid[], uuid),
peerpause.erase_person(uuid, uuid, boolean),
peerpause.person_digest(uuid),
peerpause.erase_under(uuid, uuid[], uuid, uuid, boolean),
peerpause.summed(jsonb, jsonb),
peerpause.erase_mentors(uuid, uuid[], uuid),
peerpause.erase_user(uuid, uuid, uuid),
peerpause.erase_account(uuid, boolean, uuid),
peerpause.list_erasures(uuid),
peerpause.reapply_erasure(uuid, uuid, uuid[], text, boolean),
public.list_mentor_reads(uuid, integer, timestamptz),
public.export_person(uuid, uuid),
public.erase_person(uuid, uuid, boolean),
public.list_erasures(uuid)
from public, anon, authenticated, service_role;

grant execute on function
peerpause.list_mentor_reads(uuid, integer, timestamptz),
peerpause.export_person(uuid, uuid),
peerpause.erase_person(uuid, uuid, boolean),
peerpause.list_erasures(uuid),
public.list_mentor_reads(uuid, integer, timestamptz),
public.export_person(uuid, uuid),
public.erase_person(uuid, uuid, boolean),
public.list_erasures(uuid)
to authenticated, service_role;

grant execute on function peerpause.reapply_erasure(uuid, uuid, uuid[], text, boolean) to service_role;
