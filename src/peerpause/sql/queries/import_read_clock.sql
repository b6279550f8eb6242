-- The moment that an import's dates are counted from.
select peerpause.clock() as now
