-- extend_claim
-- Holds a key for longer; null where another process has taken it over. Parameters: key, until, lease (seconds).
select
  peerpause.extend_claim(
    p_key => %(key)s::text,
    p_until => %(until)s::timestamptz,
    p_lease => make_interval(secs => %(lease)s::double precision)
  ) as until
