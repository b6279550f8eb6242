-- forget_allowances
-- Drops what is kept of callers who have asked for nothing of late.
select peerpause.forget_allowances()
