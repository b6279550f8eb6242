-- The people of an organisation by name, for its admins. Parameters: organisation_id, search, limit, after_name, after_id.
select p.user_id, p.display_name, p.email, p.is_mentor, p.is_coordinator, p.is_admin
from peerpause.list_people_of_organisation(
  %(organisation_id)s::uuid, %(search)s::text, %(limit)s::integer, %(after_name)s::text, %(after_id)s::uuid
) as p
