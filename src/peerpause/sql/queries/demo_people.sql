-- How much the demo's directory holds.
select
  (select count(*) from public.organisations) as organisations,
  (select count(*) from public.chapters) as chapters,
  (select count(*) from public.peer_mentors) as mentors
