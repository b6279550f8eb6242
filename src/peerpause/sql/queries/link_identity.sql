-- Links a subject to a person by hand, in place of whoever had it; no row where the person is not in the directory.
-- Parameters: issuer, subject, user_id.
insert into peerpause.sign_in_identities as i (issuer, subject, user_id, linked_by)
select %(issuer)s, %(subject)s, %(user_id)s::uuid, 'hand'
where peerpause.is_in_directory(%(user_id)s::uuid)
on conflict on constraint sign_in_identities_pkey do update
set
  user_id = excluded.user_id,
  linked_by = excluded.linked_by,
  linked_at = now()
returning i.user_id
