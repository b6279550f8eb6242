-- What stands in the way of news reaching people, as far as the database knows. One row.
--
-- orphaned_chapters counts chapters with active mentors and no active coordinator, orphaned_chapter_ids names the first twenty;
-- stuck means overdue for two minutes, failed_today what ended without success in the last day.
with orphaned as (
  select c.id
  from public.chapters as c
  where
    exists (
      select
      from public.chapter_memberships as m
      inner join public.peer_mentors as p on p.id = m.mentor_id
      where m.chapter_id = c.id and p.status <> 'inactive'
    )
    and not exists (select from public.coordinator_roles as r where r.chapter_id = c.id and r.active)
)

select
  (select count(*) from orphaned) as orphaned_chapters,
  array(select o.id from orphaned as o order by o.id limit 20) as orphaned_chapter_ids,
  (
    select count(*) from public.peer_mentor_status_history as h
    where h.told_at is null and h.changed_at < statement_timestamp() - interval '2 minutes'
  ) as stuck_changes,
  (
    select count(*) from public.notification_deliveries as d
    where d.state = 'pending' and d.not_before < statement_timestamp() - interval '2 minutes'
  ) as stuck_deliveries,
  (
    select count(*) from public.notification_deliveries as d
    where d.state in ('failed', 'expired') and d.settled_at > statement_timestamp() - interval '1 day'
  ) as failed_today,
  exists(
    select
    from pg_catalog.pg_class as c
    inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = 'procrastinate' and c.relname = 'procrastinate_workers'
  ) as has_procrastinate
