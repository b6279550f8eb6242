-- Takes back what the twin of the same name added. Settings and roles stay as they were last set.
drop function peerpause.retry_deliveries_of_organisation(uuid, uuid[]);
drop function peerpause.take_coordinator_role(uuid, uuid);
drop function peerpause.give_coordinator_role(uuid, uuid);
drop function peerpause.names_in_organisation(uuid, uuid[]);
drop function peerpause.list_people_of_organisation(uuid, text, integer, text, uuid);
drop function peerpause.people_of(uuid);
drop function peerpause.are_days(jsonb);
drop function peerpause.require_organisation_settings(jsonb);
drop function peerpause.change_organisation_settings(uuid, jsonb, uuid);
drop function peerpause.latest_settings_change(uuid);
drop function peerpause.organisation_settings(uuid);

drop table public.organisation_changes;
