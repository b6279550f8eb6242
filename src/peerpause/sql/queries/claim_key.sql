-- claim_key
-- Claims an idempotency key for a request over HTTP. Parameters: key, request, fingerprint, lease (seconds).
select
  claim.o_state as state,
  claim.o_until as until,
  claim.o_response as response
from peerpause.claim_key(
  p_key => %(key)s::text,
  p_request => %(request)s::text,
  p_fingerprint => %(fingerprint)s::text,
  p_lease => make_interval(secs => %(lease)s::double precision)
) as claim
