-- A version 7 uuid (RFC 9562): the milliseconds come first, so that later rows sort after earlier ones, indexes grow at one end and
-- ids serve as cursors. PostgreSQL has uuidv7() of its own from 18 on; this one serves 15 too.
-- One expression that the planner puts in place of the call: it stands in the default of every table that a change writes to.
create function peerpause.time_ordered_uuid()
returns uuid
language sql
volatile
parallel safe
return encode(
  set_byte(
    overlay(uuid_send(gen_random_uuid()), substr(int8send((date_part('epoch', clock_timestamp()) * 1000)::bigint), 3), 1, 6),
    6,
    112 | (random() * 15)::integer
  ),
  'hex'
)::uuid;
