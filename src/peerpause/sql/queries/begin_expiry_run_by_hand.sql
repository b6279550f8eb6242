-- Opens a run of the certificate check as the reader. Parameter: chapter_ids (null: all they answer for). Null: another is at it.
select peerpause.begin_expiry_run_by_hand(%(chapter_ids)s::uuid[]) as run_id
