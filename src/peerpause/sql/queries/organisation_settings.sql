-- An organisation's settings, and the latest change of them. Parameters: organisation_id.
select
  peerpause.organisation_settings(%(organisation_id)s::uuid) as settings,
  peerpause.latest_settings_change(%(organisation_id)s::uuid) as change_id
