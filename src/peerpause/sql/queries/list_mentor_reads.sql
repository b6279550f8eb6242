-- Who read a mentor's notes or history, newest first, from before a moment.
select r.reader_id, r.reader_name, r.what, r.read_at
from public.list_mentor_reads(
  p_mentor_id => %(mentor_id)s::uuid, p_limit => %(limit)s::integer, p_before => %(before)s::timestamptz
) as r
