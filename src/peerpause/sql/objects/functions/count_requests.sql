-- Takes from the buckets of several callers what they have used, and with p_wants_one one permission more where one is left.
-- A bucket holds p_most, and refills to that within a minute. Answers for each caller what is left, and whether there was one more.
-- For the service role only. Locks: the callers' rows, in order.
create function peerpause.count_requests(
  p_scope text,
  p_subjects text[],
  p_used integer[],
  p_most integer,
  p_wants_one boolean
)
returns table (subject text, remaining double precision, granted boolean)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now constant timestamptz := clock_timestamp();
begin
  return query
  with counted as (
    insert into peerpause.request_allowances as b (scope, subject, remaining, counted_at)
    select p_scope, u.subject, greatest(p_most - u.used, -p_most), v_now
    from unnest(p_subjects, p_used) as u (subject, used)
    order by u.subject
    on conflict on constraint request_allowances_pkey do update
      set
        remaining = greatest(
          least(b.remaining + greatest(extract(epoch from v_now - b.counted_at), 0) * p_most / 60.0, p_most)
          + excluded.remaining - p_most,
          -p_most
        ),
        -- Whoever waited for the row comes with an earlier moment: it must not count the same seconds twice. A moment far
        -- ahead is from a clock that was wrong.
        counted_at = case
          when b.counted_at between v_now and v_now + interval '1 minute' then b.counted_at else v_now
        end
    returning b.subject, b.remaining
  )
  select c.subject, c.remaining, false
  from counted as c;
  if not p_wants_one then
    return;
  end if;
  return query
  update peerpause.request_allowances as b
  set remaining = b.remaining - 1
  where b.scope = p_scope and b.subject = any(p_subjects) and b.remaining >= 1
  returning b.subject, b.remaining, true;
end
$$;

-- Drops the buckets that are full again because nobody has used them for long. For the service role only.
create function peerpause.forget_allowances()
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from peerpause.request_allowances as b where b.counted_at < clock_timestamp() - interval '10 minutes';
end
$$;
