-- settle_claim
-- Keeps the answer to a request under its key, or without one lets go of the key. Parameters: key, until, response.
select
  peerpause.settle_claim(
    p_key => %(key)s::text, p_until => %(until)s::timestamptz, p_response => %(response)s::jsonb
  )
