-- Lets somebody coordinate a chapter. Parameters: chapter_id, user_id.
select peerpause.give_coordinator_role(%(chapter_id)s::uuid, %(user_id)s::uuid) as changed
