-- Says who acts, for the history of what this transaction is going to write.
select set_config('peerpause.change', jsonb_build_object('actor_id', %(user_id)s::uuid)::text, true)
