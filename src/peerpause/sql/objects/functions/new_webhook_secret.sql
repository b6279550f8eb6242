-- A fresh secret in the form the Standard Webhooks libraries read: whsec_ and 32 random bytes in base64.
create function peerpause.new_webhook_secret()
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Each uuid brings 122 bits from the server's strong random source; the hash makes 256 even bits of three of them.
  return 'whsec_' || encode(
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'
  );
end
$$;
