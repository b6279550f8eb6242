-- Takes back what the twin of the same name changed.
-- The part of an export that is about what somebody did and was told. Of the others it concerns, neither names nor ids.
create or replace function peerpause.export_deeds(p_user_id uuid, p_mentor_ids uuid[], p_organisation_id uuid)
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
  update public.expected_return_changes as r
  set changed_by = p_pseudonym
  where r.organisation_id = p_organisation_id and r.changed_by = p_user_id;
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
