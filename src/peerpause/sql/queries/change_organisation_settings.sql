-- Changes settings of an organisation; no row where somebody else was faster. Parameters: organisation_id, settings, seen_change.
select c.change_id, c.settings
from peerpause.change_organisation_settings(
  %(organisation_id)s::uuid, %(settings)s::jsonb, %(seen_change)s::uuid
) as c
