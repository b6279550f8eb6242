-- When a push that is one of very many may go: ten seconds on, so that a run's changes gather into one summary; outside the two
-- minutes around each quarter of an hour, when all the world sends (Google asks for that); and spread over a minute by recipient.
create function peerpause.bulk_moment(p_at timestamptz, p_recipient_id uuid)
returns timestamptz
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_start timestamptz := p_at + interval '10 seconds';
  v_past_quarter constant double precision := (extract(epoch from v_start)::bigint % 900);
begin
  if v_past_quarter < 120 then
    v_start := v_start + (120 - v_past_quarter) * interval '1 second';
  elsif v_past_quarter > 780 - 60 then
    v_start := v_start + (1020 - v_past_quarter) * interval '1 second';
  end if;
  return v_start + (abs(hashtext(p_recipient_id::text)::bigint) % 60) * interval '1 second';
end
$$;
