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
    'expected_return_changes',
    (
      select coalesce(
        jsonb_agg(to_jsonb(r) || jsonb_build_object('changed_by', peerpause.by_whom(r.changed_by, p_user_id)) order by r.changed_at), '[]'
      )
      from public.expected_return_changes as r
      where r.mentor_id = any(p_mentor_ids)
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
    'organisation_changes',
    (
      select coalesce(
        jsonb_agg(
          jsonb_build_object(
            'organisation_id', o.organisation_id, 'kind', o.kind, 'changed_at', o.changed_at,
            'changed_by', peerpause.by_whom(o.changed_by, p_user_id)
          )
          order by o.changed_at
        ),
        '[]'
      )
      from public.organisation_changes as o
      where p_user_id in (o.changed_by, o.person_id) and (p_organisation_id is null or o.organisation_id = p_organisation_id)
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
