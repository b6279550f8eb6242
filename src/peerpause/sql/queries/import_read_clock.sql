-- The moment that an import's dates are counted from, and whether row security hides rows from this user.
select
  peerpause.clock() as now,
  row_security_active('public.peer_mentors') as sees_only_some
