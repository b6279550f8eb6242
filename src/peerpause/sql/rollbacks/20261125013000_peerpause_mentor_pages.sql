-- Takes back what the twin of the same name added.
drop table peerpause.bulk_changes;

drop function peerpause.address_of_mentor(uuid);

drop function peerpause.roster_page(
  uuid, uuid[], public.mentor_status[], text[], text, integer, boolean, text, boolean, numeric, text, uuid, integer
);
drop function peerpause.roster_counts(uuid, uuid[], integer);
drop function peerpause.roster_members(uuid, uuid[]);

revoke execute on function peerpause.clock(), peerpause.today(text) from authenticated;

drop index public.peer_mentors_by_name;
