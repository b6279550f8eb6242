-- Records which coordinators' roles an admin's import has given or taken.
select peerpause.record_imported_roles(%(organisation_id)s, %(changed_by)s, %(roles)s)
