-- Takes back a pause that has not begun, and tells whether there was one.
select public.rpc_cancel_scheduled_pause(p_mentor_id => %(mentor_id)s::uuid) as cancelled
