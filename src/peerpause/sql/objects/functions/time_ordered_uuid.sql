-- A version 7 uuid (RFC 9562): the milliseconds come first, so that later rows sort after earlier ones, indexes grow at one end and
-- ids serve as cursors. PostgreSQL has uuidv7() of its own from 18 on; this one serves 15 too.
-- One expression and nothing around it: it stands in the default of every table that a change of status writes to. Pinning the
-- search_path keeps the planner from inlining it, which costs under a microsecond a row.
create function peerpause.time_ordered_uuid()
returns uuid
language plpgsql
volatile
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return encode(
    set_byte(
      overlay(
        uuid_send(gen_random_uuid())
        placing substring(int8send((date_part('epoch', clock_timestamp()) * 1000)::bigint) from 3)
        from 1 for 6
      ),
      6,
      112 | (random() * 15)::integer
    ),
    'hex'
  )::uuid;
end
$$;
