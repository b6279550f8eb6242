-- The code by which files name an organisation, for its admins; no row for anybody else.
select coalesce(o.external_id, o.id::text) as code
from public.organisations as o
where o.id = %(organisation_id)s and o.id = any((select peerpause.my_organisations())::uuid[])
