-- Takes back what the twin of the same name added, with the data in it: the deliveries of webhooks and what they have told, the
-- secrets of organisations' own systems, and the messages taken from them. What mentors show of themselves stays: those columns
-- are the directory's.

-- 4. and 3. The functions, and with them who may call them.
drop function
public.update_public_profile(uuid, boolean, text[], text, text),
public.public_chapter(uuid),
public.create_webhook_endpoint(uuid, text),
public.list_webhook_endpoints(uuid),
public.rotate_webhook_secret(uuid),
public.disable_webhook_endpoint(uuid),
public.rotate_inbound_secret(uuid),
public.revoke_inbound_secret(uuid);

drop function
peerpause.update_public_profile(uuid, boolean, text[], text, text),
peerpause.require_languages(text[]),
peerpause.require_public_contact(text),
peerpause.has_hidden_characters(text),
peerpause.public_chapter(uuid),
peerpause.authorise_organisation(uuid),
peerpause.new_webhook_secret(),
peerpause.roster_digests(uuid),
peerpause.create_webhook_endpoint(uuid, text),
peerpause.require_webhook_url(text),
peerpause.list_webhook_endpoints(uuid),
peerpause.rotate_webhook_secret(uuid),
peerpause.disable_webhook_endpoint(uuid),
peerpause.retire_webhook_endpoint(uuid, text),
peerpause.rotate_inbound_secret(uuid),
peerpause.revoke_inbound_secret(uuid),
peerpause.receive_certificate_updates(uuid, text, jsonb);

-- The roster as it was.
-- The public roster of a chapter: who may be listed at this very moment.
--
-- Computed when it is read: active, listed by their own wish, and certified today where the organisation requires it. A job
-- that never ran cannot leave a lapsed mentor here. An unknown chapter has an empty roster. Open to everyone (anon).
create or replace function peerpause.public_chapter_roster(p_chapter_id uuid)
returns table (mentor_id uuid, display_name text, languages text[], presentation text, contact text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select p.id, p.display_name, p.languages, p.presentation, p.public_contact
  from public.chapter_memberships as m
  inner join public.peer_mentors as p on p.id = m.mentor_id
  inner join public.organisations as o on o.id = p.organisation_id
  where
    m.chapter_id = p_chapter_id
    and p.status = 'active'
    and p.listed
    and peerpause.is_certified(p.id, o.required_certification_kinds, peerpause.today(o.time_zone))
  order by p.display_name, p.id;
end
$$;
-- 2. The tables, and with them their policies.
drop table peerpause.inbound_messages;
drop table peerpause.inbound_secrets;
drop table public.webhook_deliveries;
drop table peerpause.roster_published;
drop table peerpause.roster_watches;

-- 1. The endpoints as they were.
drop index public.webhook_endpoints_in_organisation;

alter table public.webhook_endpoints
  drop constraint webhook_endpoints_disabled_for_a_reason,
  drop column previous_secret,
  drop column previous_secret_until,
  drop column disabled_at,
  drop column disabled_because;
