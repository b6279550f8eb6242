-- Takes a coordinator's role back. Parameters: chapter_id, user_id.
select peerpause.take_coordinator_role(%(chapter_id)s::uuid, %(user_id)s::uuid) as changed
