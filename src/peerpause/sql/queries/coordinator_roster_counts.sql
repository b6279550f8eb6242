-- How many of the mentors the reader answers for are active, away and gone, and who is back soonest: of `whole` organisations all, of
-- the others the `chapters`.
with counted as materialized (
  select c.*
  from unnest(%(organisations)s::uuid[]) as o (id)
  cross join lateral peerpause.roster_counts(
    p_organisation_id => o.id,
    p_chapters => case when not o.id = any(%(whole)s::uuid[]) then %(chapters)s::uuid[] end,
    p_soon => %(soon)s::integer
  ) as c
)

select
  sum(c.o_active)::bigint as active,
  sum(c.o_paused)::bigint as paused,
  sum(c.o_inactive)::bigint as inactive,
  sum(c.o_overdue)::bigint as overdue,
  sum(c.o_back_soon)::bigint as back_soon,
  (
    select
      coalesce(
        jsonb_agg(
          jsonb_build_object('mentor_id', p.id, 'display_name', p.display_name, 'expected_return_on', p.expected_return_on)
          order by p.expected_return_on, p.display_name, p.id
        ),
        '[]'
      )
    from public.peer_mentors as p
    where p.id in (select unnest(b.o_next_back) from counted as b)
  ) as next_back
from counted as c
