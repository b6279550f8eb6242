-- count_requests
-- Takes what callers have used from what they have left, and with wants_one one permission more. Parameters: scope, subjects, used,
-- most, wants_one.
select
  counted.subject,
  counted.remaining,
  counted.granted
from peerpause.count_requests(
  p_scope => %(scope)s::text,
  p_subjects => %(subjects)s::text[],
  p_used => %(used)s::integer[],
  p_most => %(most)s::integer,
  p_wants_one => %(wants_one)s::boolean
) as counted
