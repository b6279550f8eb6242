-- A version 7 uuid (RFC 9562) with microseconds in its first random field: later rows sort after earlier ones, so that indexes
-- grow at one end and ids serve as cursors. PostgreSQL has uuidv7() of its own from 18 on; this one serves 15 too.
create function peerpause.time_ordered_uuid()
returns uuid
language plpgsql
volatile
parallel safe
set search_path = ''
as $$
declare
  v_microseconds constant bigint := (extract(epoch from clock_timestamp()) * 1000000)::bigint;
  v_fraction constant integer := (v_microseconds % 1000)::integer * 4;
  v_bytes bytea := overlay(
    uuid_send(gen_random_uuid()) placing substring(int8send(v_microseconds / 1000) from 3) from 1 for 6
  );
begin
  v_bytes := set_byte(v_bytes, 6, 112 | (v_fraction >> 8));
  v_bytes := set_byte(v_bytes, 7, v_fraction & 255);
  return encode(v_bytes, 'hex')::uuid;
end
$$;
