-- Records the renewals of one signed message, all or none. Parameters: organisation_id, message_id, updates.
select r.o_recorded as recorded, r.o_repeated as repeated
from peerpause.receive_certificate_updates(%(organisation_id)s, %(message_id)s, %(updates)s) as r
