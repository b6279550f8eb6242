-- Adds the certificate records that wait for it to the audit chain. Parameter: at_most.
select peerpause.chain_waiting(%(at_most)s::integer) as chained
