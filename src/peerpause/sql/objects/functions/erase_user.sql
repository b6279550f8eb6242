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
  update public.expected_return_changes as r
  set changed_by = p_pseudonym
  where r.organisation_id = p_organisation_id and r.changed_by = p_user_id;
  update public.organisation_changes as o
  set
    changed_by = case when o.changed_by = p_user_id then p_pseudonym else o.changed_by end,
    person_id = case when o.person_id = p_user_id then p_pseudonym else o.person_id end
  where o.organisation_id = p_organisation_id and p_user_id in (o.changed_by, o.person_id);
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
-- only where the person has no part in another, and left no record there. Answers a tally by table.
create function peerpause.erase_account(p_user_id uuid, p_everywhere boolean, p_pseudonym uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_counts jsonb := '{}'::jsonb;
  v_count bigint;
begin
  if p_everywhere then
    delete from peerpause.global_admins as g where g.user_id = p_user_id;
    get diagnostics v_count = row_count;
    v_counts := jsonb_build_object('global_admins', v_count);
  elsif peerpause.has_a_part(p_user_id, null) or peerpause.has_recorded(p_user_id, null) then
    return v_counts;
  end if;
  update public.job_runs as j
  set started_by = p_pseudonym
  where j.organisation_id is null and j.started_by = p_user_id;
  update peerpause.erasures as e
  set requested_by = p_pseudonym
  where e.organisation_id is null and e.requested_by = p_user_id;
  delete from peerpause.bulk_changes as b where b.requested_by = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('bulk_changes', v_count);
  delete from public.idempotency_keys as k where k.caller = p_user_id;
  get diagnostics v_count = row_count;
  v_counts := v_counts || jsonb_build_object('idempotency_keys', v_count);
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
