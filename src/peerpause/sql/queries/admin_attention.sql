-- What needs an admin's attention in an organisation: always one row. Parameters: organisation_id.
select
  (
    select count(*)
    from public.chapters as c
    where
      c.organisation_id = %(organisation_id)s::uuid
      and not exists (select from public.coordinator_roles as r where r.chapter_id = c.id and r.active)
  ) as chapters_without_coordinator,
  (
    select count(*)
    from public.notification_deliveries as d
    where
      d.organisation_id = %(organisation_id)s::uuid
      and d.state in ('failed', 'expired')
      and d.created_at > clock_timestamp() - interval '7 days'
  ) as failed_deliveries,
  (
    select count(*)
    from public.webhook_endpoints as e
    where e.organisation_id = %(organisation_id)s::uuid and e.disabled_because = 'gone'
  ) as webhooks_gone,
  (
    select count(*)
    from public.peer_mentors as p
    where p.organisation_id = %(organisation_id)s::uuid and p.user_id is null and p.status <> 'inactive'
  ) as mentors_without_account,
  (
    select coalesce(jsonb_agg(jsonb_build_object('code', i.code, 'opened_at', i.opened_at) order by i.opened_at), '[]')
    from public.watchdog_incidents as i
    where i.organisation_id = %(organisation_id)s::uuid and i.cleared_at is null
  ) as incidents,
  (
    select max(j.finished_at)
    from public.job_runs as j
    where j.job = 'certification_expiry' and j.chapter_ids is null and j.status = 'succeeded'
  ) as last_check_at
