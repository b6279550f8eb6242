-- What a run of retention would let go of. Parameter: organisation_id (null: what belongs to no one organisation).
select
  case
    when %(organisation_id)s::uuid is null then peerpause.retain_shared(false)
    else peerpause.retain(%(organisation_id)s::uuid, null, false)
  end as counts
