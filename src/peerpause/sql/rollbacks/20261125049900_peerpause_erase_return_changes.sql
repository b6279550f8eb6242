-- Takes back what the twin of the same name added: the functions as they were.

-- Takes a user out of everything they did, held and were told in one organisation. Answers a tally by table.
create or replace function peerpause.erase_user(p_organisation_id uuid, p_user_id uuid, p_pseudonym uuid)
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
    return '{}'::jsonb;
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

-- The part of an export that is about somebody as a mentor: history, plans, certificates, who read them.
create or replace function peerpause.export_mentor(p_user_id uuid, p_mentor_ids uuid[])
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
