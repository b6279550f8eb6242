-- An organisation's own words for the reasons, in one language. Parameters: organisation_id, language.
select l.reason, l.label
from public.reason_labels as l
where l.organisation_id = %(organisation_id)s::uuid and l.language = %(language)s
