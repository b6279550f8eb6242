"""The audit that can be checked: the chain over everything recorded, its verification, its export. The chain itself grows in the database."""
