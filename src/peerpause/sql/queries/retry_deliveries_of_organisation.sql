-- Lets deliveries of an organisation start over that ended without success. Parameters: organisation_id, ids. Answers how many.
select peerpause.retry_deliveries_of_organisation(
  p_organisation_id => %(organisation_id)s::uuid, p_ids => %(ids)s::uuid[]
) as retried
