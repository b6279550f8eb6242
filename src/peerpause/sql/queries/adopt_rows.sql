-- Takes rows into the audit chain that were recorded past it. Parameters: organisation_id, at_most.
select peerpause.adopt_rows(%(organisation_id)s::uuid, %(at_most)s::integer) as adopted
